import type * as z from 'zod';
import { BbxError } from '../base/error.ts';
import { codes } from './terminal/codes.ts';

/** Checks a flag's text with the very rule that the configuration file has for it. Throws BBX-USAGE that names the flag. */
export function checkFlag(flag: string, schema: z.ZodType, value: unknown): void {
  const result = schema.safeParse(value);
  if (result.success) return;
  const [issue] = result.error.issues;
  const fix = issue?.code === 'custom' ? (issue.params as { fix?: string } | undefined)?.fix : undefined;
  const message = issue?.message ?? 'not possible';
  const subject = /^(?:is|holds|must|reads|leaves) /.test(message) ? `${JSON.stringify(value)} ` : '';
  throw usage(flag, `${subject}${message}`, fix);
}

/** Reads each text with a grammar of net/endpoint; gives what `print` makes of it. Throws BBX-USAGE that names the flag. */
export function readFlag<Value>(
  flag: string,
  texts: readonly string[],
  parse: (text: string) => Value,
  print: (value: Value) => string,
): string[] {
  return texts.map((text) => {
    try {
      return print(parse(text));
    } catch (error) {
      if (!(error instanceof BbxError)) throw error;
      throw usage(flag, error.message, error.hint);
    }
  });
}

export function usage(flag: string, problem: string, fix?: string): BbxError {
  const hint = fix === undefined ? {} : { hint: fix.charAt(0).toUpperCase() + fix.slice(1) };
  return codes['BBX-USAGE']({ problem: `${flag}: ${problem}`, ...hint });
}

/** The check of a question whose answer is read as the flag's text is; a wrong one is asked for again. */
export function answerCheck(read: (text: string) => unknown): (text: string) => true | string {
  return (text) => {
    try {
      read(text.trim());
      return true;
    } catch (error) {
      if (!(error instanceof BbxError)) throw error;
      const hint = error.hint === undefined ? '' : `. ${error.hint}`;
      return `${error.message.replace(/^--[\w-]+: /, '')}${hint}`;
    }
  };
}

/** Flags that may be repeated, or hold several values with commas, as their environment names must. */
export function several(values: readonly string[] | undefined): string[] | undefined {
  return values
    ?.flatMap((value) => value.split(',').map((text) => text.trim()))
    .filter((text) => text !== '');
}
