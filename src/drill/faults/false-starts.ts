import { sleep } from '../../base/abort.ts';
import { seconds, upTo, type Random } from '../random.ts';
import type { Machine } from '../machine.ts';

/** Starts that are cut short, by their age in ms: while it opens its store, while it adopts, right after. */
export function drawFalseStarts(random: Random): number[] {
  const count = random() < 0.7 ? 0 : 1 + upTo(random, 2);
  return Array.from({ length: count }, () => 50 + upTo(random, 800));
}

/** The same in words, behind others. */
export const falseWords = (falseStarts: readonly number[]) =>
  falseStarts.length === 0 ? '' : `, killed again after ${falseStarts.map(seconds).join(' and ')}`;

/** Starts a program that was killed: first so often that it is killed again, at these ages in ms, then for good. */
export async function startAgain(
  machine: Pick<Machine, 'launch'>,
  falseStarts: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  for (const age of falseStarts) {
    const program = await machine.launch();
    await sleep(age, signal);
    await program.end('SIGKILL', 1_000);
  }
  await machine.launch();
}
