import type { BuildObject, RequestObject } from '../api/objects.ts';
import type { Result } from '../build/results.ts';
import type { Style } from './terminal/print.ts';
import { span } from './terminal/span.ts';

/** A result in its colour; what has none yet is running. */
export function resultWord(style: Style, result: Result | null, unfinished = 'running'): string {
  const { paint } = style;
  switch (result) {
    case null:
      return paint.cyan(unfinished);
    case 'success':
      return paint.green(result);
    case 'warnings':
      return paint.yellow(result);
    case 'failure':
      return paint.red(result);
    case 'exception':
    case 'retry':
      return paint.magenta(result);
    case 'skipped':
    case 'cancelled':
      return paint.dim(result);
  }
}

/** Digits of a commit that tell it from all others in practice. */
const SHORT_REVISION = 12;

/** What is built: `main 4d5e6f0a1b2c`, as far as it is known. */
export function sourceWords(
  of: Pick<BuildObject | RequestObject, 'branch' | 'revision'>,
  style: Pick<Style, 'short'>,
): string {
  const revision = style.short ? of.revision?.slice(0, SHORT_REVISION) : of.revision;
  const words = [of.branch, revision].filter((word) => word !== null && word !== undefined);
  return words.length === 0 ? '-' : words.join(' ');
}

/** How long something took, or takes so far; `-` before its start. */
export function tookWords(
  of: { started_at: number | null; complete_at: number | null },
  now = Date.now() / 1000,
): string {
  return of.started_at === null ? '-' : span((of.complete_at ?? now) - of.started_at);
}

/** `12,408 lines`, `1 line`. */
export function countWords(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
