import type { Family } from '../intent.ts';

/** What going through the hops of a target came to, up to its host and port. */
export interface WayFacts {
  readonly at: string;
  readonly ms: number;
  /** Each lookup, connect and hop, in order. */
  readonly steps: readonly { readonly what: string; readonly got: string }[];
  readonly failure: WayFailure | null;
}

/** The way through the hops to one address of the target, in the place of its name. */
export interface FamilyWay {
  readonly family: Family;
  readonly address: string;
  readonly way: WayFacts;
}

export interface WayFailure {
  /** Kind of the hop that refused; null: the first hop could not be reached at all. */
  readonly kind: 'socks5' | 'http' | 'ssh' | null;
  readonly hop: string | null;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** The hop's own words, and its reply as a number. */
  readonly problem: string | null;
  readonly reply: number | null;
  /** A login was sent. */
  readonly loginGiven: boolean;
}

/** A setting that makes some programs use a proxy; passwords are cut. */
export interface ProxySetting {
  /** `environment`, `environment of the worker (pid 7)`, `git`, `npm`. */
  readonly source: string;
  readonly name: string;
  readonly shown: string;
  /** What is wrong with its form. */
  readonly problem: string | null;
  readonly host: string | null;
  readonly port: number | null;
}

export interface ProxySettingsFacts {
  readonly at: string;
  readonly settings: readonly ProxySetting[];
  /** Entries of no_proxy by source. */
  readonly exceptions: readonly {
    readonly source: string;
    readonly name: string;
    readonly entries: readonly string[];
  }[];
  /** Running programs of this directory whose environment was read. */
  readonly programs: readonly string[];
}

/** Who holds the port of a target on this host; undefined rows: it is not ours, or the tables cannot be read. */
export interface HolderFacts {
  readonly at: string;
  readonly owners: readonly string[];
}
