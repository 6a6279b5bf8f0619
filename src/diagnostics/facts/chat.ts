import type { Family } from '../intent.ts';

/** One address of a chat server, after its first words and a farewell; nobody was named there. */
export interface ChatFact {
  readonly address: string;
  readonly family: Family;
  /** `strange`: it speaks something else; `no TLS`: TLS was to come up, and did not. */
  readonly outcome: 'irc' | 'strange' | 'silent' | 'closed' | 'no TLS';
  /** Its first line, or why there is none. */
  readonly said: string;
  readonly ms: number;
}

export interface ChatFacts {
  readonly at: string;
  readonly addresses: readonly ChatFact[];
}
