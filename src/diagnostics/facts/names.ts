import type { Family } from '../intent.ts';

/** How one nameserver answered one question. */
export type DnsOutcome =
  'answer' | 'nodata' | 'nxdomain' | 'servfail' | 'refused' | 'timeout' | 'garbage' | 'unreachable';

export interface DnsReply {
  readonly outcome: DnsOutcome;
  readonly addresses: readonly string[];
  readonly ms: number;
  /** What exactly came, where the outcome does not say it: a system code, a response code. */
  readonly detail?: string;
  /** The answer was too long for UDP, and was asked for again over TCP. */
  readonly cut?: true;
}

export interface ServerReplies {
  readonly server: string;
  readonly A: DnsReply;
  readonly AAAA: DnsReply;
}

/** All that is known of a name. For a literal only `literal` is filled. */
export interface NameFacts {
  readonly at: string;
  readonly name: string;
  /** Family of the address that stands where a name could. */
  readonly literal: Family | null;
  /** Never asked of DNS (RFC 6761). */
  readonly localhost: boolean;
  readonly servers: readonly ServerReplies[];
  /** What the system's lookup gives programs, in its order; null: it gave nothing in time. */
  readonly lookup: {
    readonly addresses: readonly string[];
    readonly errno: string | null;
    readonly ms: number;
  } | null;
  /** Addresses that the hosts file has for it. */
  readonly hosts: readonly string[];
  readonly ownName: boolean;
  /** Who went there did not look it up: a hop does. */
  readonly untold?: boolean;
}

/** Addresses of one family that any nameserver published. */
export function published(name: NameFacts, family: Family): string[] {
  const type = family === 4 ? 'A' : 'AAAA';
  return [...new Set(name.servers.flatMap((server) => server[type].addresses))];
}

/** Every address that a program could try, those of the system's lookup first. */
export function candidates(name: NameFacts): string[] {
  if (name.literal !== null) return [name.name];
  const looked = name.lookup?.addresses ?? [];
  // The hosts file goes before DNS: what only DNS knows is then not what programs would dial.
  const dns = name.hosts.length > 0 ? [] : [...published(name, 6), ...published(name, 4)];
  return [...new Set([...looked, ...dns])];
}
