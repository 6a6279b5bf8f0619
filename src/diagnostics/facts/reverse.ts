import type { Family } from '../intent.ts';

/** What DNS says of an address. */
export interface ReverseFact {
  readonly at: string;
  readonly address: string;
  readonly family: Family;
  /** `unknown`: no nameserver gave an answer that can be used. */
  readonly outcome: 'names' | 'none' | 'unknown';
  /** Its PTR records, and what each name has of that family. */
  readonly names: readonly { readonly name: string; readonly addresses: readonly string[] }[];
}

/** A name of the address has the address. */
export function leadsBack({ address, names }: ReverseFact): boolean {
  return names.some(({ addresses }) => addresses.includes(address));
}
