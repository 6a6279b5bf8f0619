import * as z from 'zod';
import { EXIT, type ExitCode } from '../base/exit.ts';

/** The body of every answer that is an error: the row's words, as `--json` prints them on stderr. */
export const errorAnswer = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    retryable: z.boolean().default(false),
  }),
});

/** The HTTP status that stands for an exit code; one to one, so that a client ends with the code that the master meant. */
const STATUS_OF: Readonly<Record<ExitCode, number>> = {
  [EXIT.ok]: 200,
  [EXIT.failed]: 424,
  [EXIT.usage]: 400,
  [EXIT.unreachable]: 502,
  [EXIT.unauthenticated]: 401,
  [EXIT.forbidden]: 403,
  [EXIT.notFound]: 404,
  [EXIT.configInvalid]: 422,
  [EXIT.conflict]: 409,
  [EXIT.cancelled]: 410,
  [EXIT.warnings]: 417,
  [EXIT.infrastructure]: 503,
  [EXIT.unknown]: 421,
  [EXIT.fault]: 500,
  [EXIT.timeLimit]: 504,
  [EXIT.interrupted]: 499,
};

/** The status with which the API answers an error of this exit code; no two are the same, so that a client finds the code again. */
export function httpStatusOf(exit: ExitCode): number {
  return STATUS_OF[exit];
}

/** The exit code that a status stands for; a status that no row has is a usage error (4xx) or a fault (5xx) of the other side. */
export function exitOfStatus(status: number): ExitCode {
  const known = Object.values(EXIT).find((exit) => STATUS_OF[exit] === status);
  return known ?? (status >= 500 ? EXIT.fault : EXIT.usage);
}
