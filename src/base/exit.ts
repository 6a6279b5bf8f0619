/** What a `bbx` process says with its exit code; the contract is the table in docs/cli.md. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  unauthenticated: 4,
  forbidden: 5,
  notFound: 6,
  configInvalid: 7,
  conflict: 8,
  cancelled: 9,
  warnings: 10,
  infrastructure: 11,
  unknown: 12,
  fault: 70,
  timeLimit: 124,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
