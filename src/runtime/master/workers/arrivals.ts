import { readFile } from 'node:fs/promises';
import type { Clock } from '../../../base/clock.ts';
import { printPeer } from '../../../net/peer.ts';
import { parseTcpTable } from '../../../net/proc.ts';

/** Newest arrivals that are remembered: some seconds of a farm whose workers all come back. */
const REMEMBERED = 512;
/** SYN_RECV: a first packet has come and was answered, and the answer to that has not come. */
const HALF_OPEN = '03';

/** One connection to the worker port, as this end saw it. */
export interface Arrival {
  /** Monotonic ms. */
  readonly at: number;
  readonly peer: string;
  /** This end's own address. */
  readonly local: string;
  /** Of its `hello`, base64; null while it has said none. */
  nonce: string | null;
}

/** A connection whose first packet came, and nothing after it. */
export interface HalfOpen {
  readonly peer: string;
  readonly local: string;
}

/** What came to the worker port lately. */
export interface Arrivals {
  /** A connection was accepted. */
  came(ends: { peer: string; local: string }): void;
  /** It has said hello. */
  greeted(peer: string, nonce: Uint8Array): void;
  since(at: number): Arrival[];
  /** Connections that are half open now on these ports; undefined where the system does not tell. */
  halfOpen(ports: ReadonlySet<number>): Promise<HalfOpen[] | undefined>;
}

export function createArrivals(clock: Clock): Arrivals {
  const arrivals: Arrival[] = [];
  return {
    came({ peer, local }) {
      arrivals.push({ at: clock.monotonic(), peer, local, nonce: null });
      if (arrivals.length > REMEMBERED) arrivals.shift();
    },
    greeted(peer, nonce) {
      const arrival = arrivals.findLast((one) => one.peer === peer);
      if (arrival !== undefined) arrival.nonce = Buffer.from(nonce).toString('base64');
    },
    since: (at) => arrivals.filter((arrival) => arrival.at >= at),
    async halfOpen(ports) {
      try {
        const tables = await Promise.all(
          ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'latin1')),
        );
        return tables
          .flatMap(parseTcpTable)
          .filter(({ state, localPort }) => state === HALF_OPEN && ports.has(localPort))
          .map((row) => ({
            peer: printPeer(row.remoteAddress, row.remotePort),
            local: printPeer(row.localAddress, row.localPort),
          }));
      } catch {
        return undefined;
      }
    },
  };
}
