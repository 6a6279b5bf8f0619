import type { LabCase } from '../cases/case.ts';

/** What a program said of a case. */
export interface Said {
  /** Ids at warn and error, in the order in which they were printed. */
  readonly grave: readonly string[];
  /** Ids that were told as a fact. */
  readonly facts: readonly string[];
  readonly verdict?: string;
  readonly ms: number;
  /** Why there is nothing to score: it ended without a report. */
  readonly failed?: string;
}

export interface Mark {
  readonly case: LabCase;
  readonly said: Said;
  readonly found: boolean;
  readonly first: boolean;
  /** What was said at warn or error and is neither the root nor one of its effects. */
  readonly noise: readonly string[];
  readonly verdictRight: boolean;
}

/** What is asked of a release; the share of right ones, and ms. */
export const BARS = { recall: 0.95, first: 0.9, precision: 0.9, limitMs: 15_000 };

export interface Score {
  readonly faults: number;
  readonly controls: number;
  readonly recall: number;
  /** Faults whose root stands first. */
  readonly first: number;
  /** Of all that was said at warn or error, the part that is a root or an effect. */
  readonly precision: number;
  /** Controls at which something was said. */
  readonly loudControls: readonly string[];
  readonly wrongVerdicts: readonly string[];
  readonly slowestMs: number;
  readonly slow: readonly string[];
  readonly met: boolean;
}

/** One case by the rules of the reference: the root named at warn or error, first, and nothing said that is neither it nor its effect. */
export function mark(one: LabCase, said: Said): Mark {
  const { grave, facts } = said;
  const allowed = [...one.root, ...(one.also ?? [])];
  const named = one.fact === true ? [...grave, ...facts] : grave;
  // What is grave stands before every mere fact, so a fact has its place among the facts.
  const [first] =
    one.fact === true
      ? [...grave.filter((id) => one.root.includes(id)), ...facts.filter((id) => allowed.includes(id))]
      : grave;
  return {
    case: one,
    said,
    found: named.some((id) => one.root.includes(id)),
    first: first !== undefined && one.root.includes(first),
    noise: grave.filter((id) => !allowed.includes(id)),
    verdictRight: one.verdict === undefined || said.verdict === one.verdict,
  };
}

export function score(marks: readonly Mark[]): Score {
  const faults = marks.filter(({ case: one }) => one.root.length > 0);
  const controls = marks.filter(({ case: one }) => one.root.length === 0);
  const share = (part: number, whole: number) => (whole === 0 ? 1 : part / whole);
  const said = marks.flatMap(({ said: { grave } }) => grave).length;
  const noise = marks.flatMap((one) => one.noise).length;
  const names = (some: readonly Mark[]) => some.map(({ case: one }) => one.id);
  const result = {
    faults: faults.length,
    controls: controls.length,
    recall: share(faults.filter(({ found }) => found).length, faults.length),
    first: share(faults.filter(({ first }) => first).length, faults.length),
    precision: share(said - noise, said),
    // A control that could not be judged was not silent: nobody knows.
    loudControls: names(controls.filter(({ noise, said }) => noise.length > 0 || said.failed !== undefined)),
    wrongVerdicts: names(marks.filter(({ verdictRight }) => !verdictRight)),
    slowestMs: Math.max(0, ...marks.map(({ said }) => said.ms)),
    slow: names(marks.filter(({ said }) => said.ms > BARS.limitMs)),
  };
  const met =
    result.recall >= BARS.recall &&
    result.first >= BARS.first &&
    result.precision >= BARS.precision &&
    [result.loudControls, result.slow, result.wrongVerdicts].every((names) => names.length === 0);
  return { ...result, met };
}
