import type { NodeOption } from './policy.ts';

/** A process, as far as this user may see it. */
export interface ProcessFact {
  /** `this shell`, `the master in .`. */
  readonly where: string;
  readonly pid: number;
  /** Most files and sockets that it may have open; null: not to be seen. */
  readonly fileLimit: number | null;
  readonly openFiles: number | null;
  /** Options of Node that concern connections, of its environment and its command line. */
  readonly node: readonly NodeOption[];
  /** The last part of its control group: `bbx-worker.service` under systemd. */
  readonly unit: string | null;
  /** The unit is one of a user's own systemd (`systemctl --user`). */
  readonly ownUnit: boolean;
}

/** What the system lends to programs; null: not to be read, or not there. */
export interface LimitFacts {
  readonly at: string;
  /** Ports for outgoing connections. */
  readonly ports: {
    readonly from: number;
    readonly to: number;
    /** Ports of the range on which something listens: the kernel gives them to no outgoing connection. */
    readonly listening: number;
    /** The far end that holds most of them: a port is free again for every other one. */
    readonly busiest: { readonly remote: string; readonly count: number } | null;
  } | null;
  /** Flows that the packet filter of this network remembers. */
  readonly flows: { readonly count: number; readonly most: number } | null;
  /** Seconds after which the filter forgets a silent connection. */
  readonly flowSeconds: number | null;
  readonly somaxconn: number | null;
  /** Tries of the kernel before it gives an established connection up. */
  readonly retries: number | null;
}
