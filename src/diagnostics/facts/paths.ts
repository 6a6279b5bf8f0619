import type { Spoken } from '../../net/first-bytes.ts';
import type { Family } from '../intent.ts';
import type { ClockFact } from './clock.ts';

/** One try to connect to one address, alone, with its own deadline. */
export interface Attempt {
  readonly address: string;
  readonly family: Family;
  readonly port: number;
  /** `silent`: nothing came back until our own deadline. */
  readonly outcome: 'connected' | 'failed' | 'silent';
  readonly errno: string | null;
  /** Our own kernel refused, nothing was sent (Node adds ` - Local (…)`). */
  readonly local: boolean;
  readonly ms: number;
}

export interface PathFacts {
  readonly at: string;
  readonly attempts: readonly Attempt[];
  /** This host has the address itself, and what listens there is known. null: not ours, or not known. */
  readonly listensHere: boolean | null;
  /** Why nothing was tried, where that is known. */
  readonly untried?: string;
}

/** Who answered a connection, found out by speaking to it. */
export type PeerKind = 'bbx' | 'msgpack' | Spoken | 'silent' | 'closed';

export interface PeerFact {
  readonly address: string;
  readonly family: Family;
  readonly kind: PeerKind;
  /** Fingerprint that the greeting was signed with. */
  readonly instance: string | null;
  /** TLS was up, whatever came after. */
  readonly tls: boolean | null;
  /** First bytes in hex, at most 32. */
  readonly firstBytes: string;
  /** The sentence of the error, where there was one. */
  readonly problem: string | null;
  readonly code: string | null;
  readonly version: string | null;
  /** Its clock against ours, where it told the time. */
  readonly clock?: ClockFact;
  readonly ms: number;
}

/** Answer to an authentication that takes no slot. */
export interface AuthenticationFact {
  /** null: it could not be asked, since this user may not read the worker's key; then `message` has its file. */
  readonly accepted: boolean | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly hint: string | null;
}
