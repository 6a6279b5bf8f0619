import { seeded } from '../../../src/drill/random.ts';
import { enterVirtualTime } from '../virtual-time.ts';
import type { FuzzCase } from './case.ts';
import { overBytes } from './over-bytes.ts';
import { towardAsker } from './toward-asker.ts';
import { towardMaster } from './toward-master.ts';
import { towardWorker } from './toward-worker.ts';

export interface FuzzReport {
  cases: number;
  /** How the sessions ended: closing code, or `answered` → number of them. */
  ended: Record<string, number>;
  /** What is not as it must be, with the number of the case. */
  wrong: string[];
}

/** Of a hundred cases so many are of each kind. */
const SHARES: readonly [share: number, act: FuzzCase][] = [
  [47, towardMaster],
  [38, towardWorker],
  [5, towardAsker],
  [10, overBytes],
];
const KINDS = SHARES.flatMap(([share, act]) => Array.from({ length: share }, () => act));
const MOST_WRONG = 20;
/** By so long after its case everything that a session had set is gone: closing handshakes are given 2 s. */
const LEFT_MS = 5_000;

/** Runs cases `from` to `to`, one after the other in a time that does not wait; the same seed makes the same cases, each by itself. */
export async function fuzz(options: {
  seed: number;
  from: number;
  to: number;
  /** Told before each case. */
  onCase?: (number: number) => void;
}): Promise<FuzzReport> {
  const { seed, from, to, onCase } = options;
  const report: FuzzReport = { cases: 0, ended: {}, wrong: [] };
  let number = from;
  const complain = (what: string) => {
    if (report.wrong.length < MOST_WRONG) report.wrong.push(`case ${number}: ${what}`);
  };
  const unhandled = (error: unknown) =>
    complain(`unhandled: ${error instanceof Error ? error.stack : String(error)}`);
  process.on('unhandledRejection', unhandled);
  process.on('uncaughtException', unhandled);
  using time = enterVirtualTime();
  for (; number < to && report.wrong.length < MOST_WRONG; number += 1) {
    onCase?.(number);
    const act = KINDS[(number * 37) % KINDS.length]!;
    const looks: (() => void)[] = [];
    try {
      const outcome = await act({
        ...{ random: seeded(seed * 1_000_003 + number), clock: time.clock, wrong: complain },
        after: (look) => void looks.push(look),
      });
      const key = outcome === 'answered' ? outcome : String(outcome.closed);
      report.ended[key] = (report.ended[key] ?? 0) + 1;
    } catch (error) {
      complain(`(${act.name}) ${error instanceof Error ? error.stack : String(error)}`);
    }
    const left = await time.pass(LEFT_MS);
    if (left > 0) complain(`(${act.name}) ${left} timers are left`);
    time.forget();
    for (const look of looks) look();
    report.cases += 1;
  }
  process.off('unhandledRejection', unhandled);
  process.off('uncaughtException', unhandled);
  return report;
}
