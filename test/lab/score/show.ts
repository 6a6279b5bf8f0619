import type { LabCase } from '../cases/case.ts';
import { onStage } from '../stage/stage.ts';
import { inLanes, type LabRun } from './run.ts';
import { callOf } from './doctor.ts';

/** The doctor's words of each case as a person reads them, for who wants to know why it says what it says. */
export async function showCases(cases: readonly LabCase[], run: LabRun): Promise<void> {
  await inLanes(cases, run, async (one) => {
    const call = callOf(one, run.hands);
    const words = call.words.filter((word) => word !== '--json');
    const [ran] = await onStage(one.recipe, [{ ...call, words: [...words, '-v'] }], run.hands);
    process.stdout.write(`=== ${one.id} ${one.title} (exit ${ran?.code})\n${ran?.stdout}${ran?.stderr}\n`);
  });
}
