import { BbxError } from '../../../base/error.ts';
import { parseAddress, printAddress } from '../../../net/endpoint/address.ts';
import { parseListen, printListen } from '../../../net/endpoint/listen-address.ts';
import { TOPICS } from '../../check.ts';
import type { SettingSubject } from '../../subject.ts';

/** Every topic takes its places from the configuration: where that cannot be read, they are missing, and that must be said. */
export const topics = TOPICS;

/** What the grammar makes of the text. */
export interface SettingFacts {
  readonly at: string;
  /** The normal form, or what is wrong with the text. */
  readonly printed: string | null;
  readonly problem: string | null;
  readonly expected: string | null;
  readonly column: number | null;
}

/** Reads an address as the configuration does. */
export function readSetting(setting: SettingSubject, at: string): SettingFacts {
  try {
    const printed =
      setting.role === 'listen'
        ? printListen(parseListen(setting.text, { defaultPort: 9989 }))
        : printAddress(parseAddress(setting.text));
    return { at, printed, problem: null, expected: null, column: null };
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    const { problem, expected, column } = error.data as {
      problem?: string;
      expected?: string;
      column?: number;
    };
    return {
      at,
      printed: null,
      problem: problem ?? error.message,
      expected: expected ?? null,
      column: column ?? null,
    };
  }
}

/** Reads the text again, as the configuration did. */
export const gather = (_context: unknown, setting: SettingSubject) =>
  readSetting(setting, new Date().toISOString());

/** The value as it stands, a caret under the place where reading stopped. */
export function underlined(setting: SettingSubject, column: number | null): string {
  return column === null ? setting.text : `${setting.text} (column ${column})`;
}
