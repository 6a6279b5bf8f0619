import { seeded } from '../../../src/drill/random.ts';
import type { FuzzCase } from './case.ts';
import { overBytes } from './over-bytes.ts';
import { towardMaster } from './toward-master.ts';
import { towardWorker } from './toward-worker.ts';

export interface FuzzReport {
  cases: number;
  /** How the sessions ended: closing code, or `answered` → number of them. */
  ended: Record<string, number>;
  /** What is not as it must be, with the number of the case. */
  wrong: string[];
}

/** Of a hundred cases so many are messages toward the master, messages toward the worker; the others are bytes of streams. */
const SHARES = { towardMaster: 50, towardWorker: 40 };
const MOST_WRONG = 20;

/** Runs cases `from` to `to`; the same seed makes the same cases, each by itself. */
export async function fuzz(options: {
  seed: number;
  from: number;
  to: number;
  /** Sessions at once. */
  abreast?: number;
  onProgress?: (done: number) => void;
}): Promise<FuzzReport> {
  const { seed, from, to, abreast = 256, onProgress } = options;
  const report: FuzzReport = { cases: 0, ended: {}, wrong: [] };
  let next = from;
  const complain = (what: string) => {
    if (report.wrong.length < MOST_WRONG) report.wrong.push(what);
  };
  const unhandled = (error: unknown) =>
    complain(`unhandled: ${error instanceof Error ? error.stack : String(error)}`);
  process.on('unhandledRejection', unhandled);
  process.on('uncaughtException', unhandled);
  const lane = async () => {
    while (next < to && report.wrong.length < MOST_WRONG) {
      const number = next;
      next += 1;
      const random = seeded(seed * 1_000_003 + number);
      const share = (number * 37) % 100;
      const act: FuzzCase =
        share < SHARES.towardMaster
          ? towardMaster
          : share < SHARES.towardMaster + SHARES.towardWorker
            ? towardWorker
            : overBytes;
      try {
        const outcome = await act(random, (what) => complain(`case ${number}: ${what}`));
        const key = outcome === 'answered' ? outcome : String(outcome.closed);
        report.ended[key] = (report.ended[key] ?? 0) + 1;
      } catch (error) {
        complain(`case ${number} (${act.name}): ${error instanceof Error ? error.stack : String(error)}`);
      }
      report.cases += 1;
      onProgress?.(report.cases);
    }
  };
  await Promise.all(Array.from({ length: abreast }, lane));
  // What comes late is still counted.
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off('unhandledRejection', unhandled);
  process.off('uncaughtException', unhandled);
  return report;
}
