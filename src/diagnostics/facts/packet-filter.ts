import type { Family } from '../intent.ts';

/** The first packet of a connection, as a filter of this host sees it. */
export interface FilterQuestion {
  /** `input`: from another host to this one; `output`: from here. */
  readonly hook: 'input' | 'output';
  readonly family: Family;
  readonly port: number;
  /** Where it goes to; null: any address of this host. */
  readonly address: string | null;
}

/** What becomes of it, as far as the rules say so themselves. */
export interface FilterAnswer extends FilterQuestion {
  /** `dropped` and `rejected` whoever sends it; `open`: it passes, or it depends on what is not known here. */
  readonly fate: 'open' | 'dropped' | 'rejected';
  /** The rule or policy that stops it. */
  readonly by: FilterPlace | null;
}

export interface FilterPlace {
  /** `inet filter input`: family, table and chain as nft names them. */
  readonly chain: string;
  /** Number of the rule; null: the policy of the chain. */
  readonly handle: number | null;
}

/** The rules of nftables, those that iptables-nft, ufw and firewalld made among them. */
export interface FilterFacts {
  readonly at: string;
  /** `hidden`: only root is shown them; `no tool`: nft is not installed; `strange`: nft said what cannot be read. */
  readonly state: 'read' | 'hidden' | 'no tool' | 'strange';
  readonly answers: readonly FilterAnswer[];
  /** Rules beside those that may stop something. */
  readonly unread: readonly UnreadRules[];
}

/** Rules that are there and are not followed. */
export interface UnreadRules {
  /** `iptables-legacy`. */
  readonly what: string;
  /** Whose packets they see. */
  readonly families: readonly Family[];
  /** What lists them, to root. */
  readonly command: string;
}
