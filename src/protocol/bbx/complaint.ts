import type { ZodError } from 'zod';

/** The first thing that zod has against a message, short and without the message's own text. */
export function complaint(error: ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown' : `${issue.path.join('.') || 'its type'}: ${issue.code}`;
}
