import type { Pref64 } from '../../net/nat64.ts';
import type { ResolvConf } from '../../net/dns/resolv-conf.ts';

/** How this host's programs resolve names, as its files say. */
export interface ResolverFacts {
  readonly at: string;
  /** /etc/resolv.conf; null: there is none, or it cannot be read. */
  readonly conf: ResolvConf | null;
  /** Words of the `hosts:` line of nsswitch.conf, with what stands in brackets as one word; null: no such line. */
  readonly nsswitch: readonly string[] | null;
}

/** Who translates names for hosts without IPv4, by AAAA records of `ipv4only.arpa` (RFC 7050). */
export interface Nat64Facts {
  readonly at: string;
  readonly servers: readonly {
    readonly server: string;
    /** AAAA records that it gave. */
    readonly addresses: readonly string[];
    readonly prefixes: readonly Pref64[];
  }[];
}

/** A name as the search list completes it. */
export interface Completion {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** A lookup of both families at once, in the order in which most programs try the addresses. */
export interface OrderFacts {
  readonly at: string;
  readonly addresses: readonly string[];
  readonly errno: string | null;
  readonly ms: number;
}
