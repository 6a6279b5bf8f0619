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
