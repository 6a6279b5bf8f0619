/** Buildbot's results, in Buildbot's order: the index is the number in rows, API and protocol. */
export const RESULTS = [
  'success',
  'warnings',
  'failure',
  'skipped',
  'exception',
  'retry',
  'cancelled',
] as const;
export type Result = (typeof RESULTS)[number];

/** The number that stands for a result in rows; Buildbot's. */
export function resultNumber(result: Result): number {
  return RESULTS.indexOf(result);
}

/** The word for a number from a row or the wire; undefined for null (not finished) and for numbers that mean nothing. */
export function resultOf(number: number | null | undefined): Result | undefined {
  return number === null || number === undefined ? undefined : RESULTS[number];
}

/** Worst first when several steps or builds are folded into one. */
const SEVERITY: readonly Result[] = [
  'cancelled',
  'retry',
  'exception',
  'failure',
  'warnings',
  'success',
  'skipped',
];

/** The result of the whole when its parts ended as `a` and `b`: Buildbot's `worst_status`. */
export function worst(a: Result, b: Result): Result {
  return SEVERITY.indexOf(a) <= SEVERITY.indexOf(b) ? a : b;
}
