import type { SeriesFact } from '../../protocol/bbx/dial-facts.ts';
import type { Family } from '../intent.ts';
import type { Attempt } from './paths.ts';

/** What probes over one connection to a master of bbx have shown. */
export interface LinkFact {
  readonly address: string;
  readonly family: Family;
  /** This end of the connection as this host sees it, `[2001:db8::1]:4711`; null where none came up. */
  readonly localEnd: string | null;
  /** Of our `hello`, base64; null where no greeting came. */
  readonly nonce: string | null;
  /** The master announced probes; null: it was not heard. */
  readonly able: boolean | null;
  readonly series: SeriesFact | null;
  /** The sentence of the error that ended it early. */
  readonly problem: string | null;
}

/** One connection that rested, and who was to speak first after it. */
export interface RestFact {
  readonly address: string;
  readonly family: Family;
  readonly seconds: number;
  readonly first: 'master' | 'worker';
  /** False: no word came through within the limit, or the connection was found closed. null: it could not be tried. */
  readonly alive: boolean | null;
  readonly problem: string | null;
}

/** Several connections to the same address, one after another. */
export interface HandshakesFact {
  readonly address: string;
  readonly family: Family;
  readonly attempts: readonly Attempt[];
}

/** Whether both ends name the same nonce. */
export function isWitnessed(link: LinkFact): boolean {
  return link.nonce !== null && link.series?.seen?.nonce === link.nonce;
}

/** The fastest of several handshakes, in ms; one that lost a packet is no measure of the way. */
export function fastestOf({ attempts }: HandshakesFact): number {
  return Math.min(...attempts.filter(({ outcome }) => outcome === 'connected').map(({ ms }) => ms));
}
