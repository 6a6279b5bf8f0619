import { doctorReport } from '../../../src/api/doctor.ts';
import type { LabCase } from '../cases/case.ts';
import { onStage, type Ran, type Stagehands } from '../stage/stage.ts';
import type { Said } from './score.ts';

/** The call of a case; `skip`: checks that are taken out. */
export function callOf(one: LabCase, hands: Stagehands, skip: readonly string[] = []) {
  const words = [process.execPath, hands.bin, 'doctor', ...one.doctor, '--json'];
  return { words: skip.length === 0 ? words : [...words, '--skip', skip.join(',')], env: { NO_COLOR: '1' } };
}

/** Makes a case and asks the doctor. A stage that could not be made throws: that is no answer of the doctor's. */
export async function askDoctor(
  one: LabCase,
  hands: Stagehands,
  skip: readonly string[] = [],
): Promise<Said> {
  const [ran] = await onStage(one.recipe, [callOf(one, hands, skip)], hands);
  return readReport(ran!);
}

/** What the doctor said in its JSON; a call that gave none has failed. */
export function readReport({ code, stdout, stderr, ms }: Ran): Said {
  try {
    const { findings, verdicts } = doctorReport.parse(JSON.parse(stdout));
    const ids = (...statuses: readonly string[]) =>
      findings.filter(({ status }) => statuses.includes(status)).map(({ id }) => id);
    const verdict = verdicts[0]?.verdict;
    return {
      grave: ids('error', 'warn'),
      facts: ids('info'),
      ms,
      ...(verdict === undefined ? {} : { verdict }),
    };
  } catch {
    const words = /"message":"((?:[^"\\]|\\.)*)"/.exec(stderr)?.[1] ?? (stderr || stdout);
    return { grave: [], facts: [], ms, failed: `exit ${code}: ${words.trim().slice(0, 120)}` };
  }
}
