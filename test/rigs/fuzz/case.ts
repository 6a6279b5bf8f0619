import type { Clock } from '../../../src/base/clock.ts';
import { createFarmKey } from '../../../src/net/tls/certificate.ts';
import { createWorkerKey, readSigningKey } from '../../../src/protocol/bbx/keys.ts';
import type { Lease } from '../../../src/protocol/bbx/lease.ts';
import type { Limits } from '../../../src/protocol/bbx/limits.ts';
import type { Random } from './mutate.ts';

export const FARM = readSigningKey(createFarmKey(), 'farm');
export const WORKER = createWorkerKey().key;
export const EXPORTER = Buffer.alloc(32, 7);
export const LEASES: readonly Lease[] = [
  { build: 5, token: `1-${'0'.repeat(16)}` },
  { build: 6, token: `2-${'a'.repeat(16)}` },
];
/** Peers that say half of something are given up soon; and smaller books, so that their ends are met. */
export const QUICK: Partial<Limits> = {
  refusalMs: 0,
  authenticationMs: 2_000,
  pingEveryMs: 400,
  silenceMs: 1_000,
  pauseMs: 600,
  creditBytes: 600,
  creditEvents: 8,
  creditEventBytes: 3_000,
  streams: 12,
  queueBytes: 20_000,
  queueMessages: 40,
};
/** A session that is neither closed nor answers after so long is stuck: far above every limit of `QUICK`, and the longest `hold`. Nobody waits for it. */
export const ANSWER_MS = 1_000_000;

/** How a case ended: with a closing code, or with an answer to the question after it. */
export type Outcome = { closed: number } | 'answered';

export interface FuzzContext {
  random: Random;
  /** Of the virtual time that all timers go by. */
  clock: Clock;
  wrong(what: string): void;
  /** Has this looked at when all that the case has begun must be over. */
  after(look: () => void): void;
}
export type FuzzCase = (context: FuzzContext) => Promise<Outcome>;

/** The outcome, or a complaint when there is none in time. */
export async function inTime(outcome: Promise<Outcome>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a session that is neither closed nor answers')), ANSWER_MS);
  });
  return Promise.race([outcome, late]).finally(() => clearTimeout(timer));
}
