import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../base/duration.ts';

/** Milliseconds of a flag's duration; for commander, which names the flag and the wrong text. */
export function durationValue(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Want a duration such as 500ms, 10s, 5m, 2h or 7d.');
  return ms;
}

/** The same, for what must last: `0s` would be over at once. */
export function spanValue(text: string): number {
  const ms = durationValue(text);
  if (ms <= 0) throw new InvalidArgumentError('Want more than nothing, such as 10s, 5m, 2h or 7d.');
  return ms;
}

/** A whole number in a range. */
export function numberValue(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^[+-]?\d+$/.test(text) || number < least || number > most) {
      throw new InvalidArgumentError(`Want a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}

/** A commit's whole id, as `git rev-parse` prints it; what looks like something else of git's is called by its name. */
export function revisionValue(text: string): string {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) return text;
  throw new InvalidArgumentError(`${whatItIs(text)} Want a full commit id of 40 or 64 hex digits.`);
}

function whatItIs(text: string): string {
  if (text.trim() === '') return 'It is empty; without the flag the newest commit is meant.';
  if (text !== text.trim()) return 'There is a space or a line end around it.';
  if (/^[0-9a-fA-F]{40}$|^[0-9a-fA-F]{64}$/.test(text)) return 'It has capital letters.';
  if (/^[0-9a-fA-F]{4,63}$/.test(text)) return `It is cut short; git rev-parse ${text} prints the whole.`;
  if (/^[0-9a-fA-F]+$/.test(text)) return `It has ${text.length} digits.`;
  return 'It is no id; a branch is named with --branch, and git rev-parse prints the id of anything else.';
}

/** Collects `--property name=value` into one object; the last of a name counts. */
export function propertyValueOf(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Want NAME=VALUE.');
  return { ...before, [name]: value };
}

/** Collects a flag that may be given several times. */
export function listValue(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
