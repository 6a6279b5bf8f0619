import { readFile } from 'node:fs/promises';
import { errnoOf } from '../../base/error.ts';
import { Secret } from '../../base/secret.ts';
import type { MasterConfig } from '../../config/master.ts';
import { codes } from './codes.ts';

/** Largest value; the protocol carries no larger one. */
const MAX_CHARACTERS = 65_536;

/**
 * The values of secrets, read from their files now, so that a changed file counts from the next build on. One line break at the end of a file is
 * the editor's and not the secret's. Throws BBX-MAS-SECRET.
 */
export async function readSecrets(
  config: Pick<MasterConfig, 'secrets'>,
  names: Iterable<string>,
): Promise<Map<string, Secret>> {
  const values = new Map<string, Secret>();
  for (const name of names) {
    const file = config.secrets[name]?.file;
    if (file === undefined) {
      throw codes['BBX-MAS-SECRET']({
        name,
        file: 'secrets',
        what: 'the configuration names no file for it',
      });
    }
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (cause) {
      throw codes['BBX-MAS-SECRET']({ name, file, what: errnoOf(cause) ?? 'unreadable' }, { cause });
    }
    if (text.length > MAX_CHARACTERS) {
      throw codes['BBX-MAS-SECRET']({ name, file, what: `it is longer than ${MAX_CHARACTERS} characters` });
    }
    values.set(name, new Secret(text.replace(/\r?\n$/, '')));
  }
  return values;
}
