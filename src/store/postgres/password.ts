import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import pgpass from 'pgpass';
import { errnoOf } from '../../base/error.ts';
import { codes } from '../codes.ts';

/** Who asks where for which database. */
export interface Login {
  host: string;
  port: number;
  user: string;
  database: string;
}

/**
 * The password of a login, asked for anew at each connection: the file that the address names, else PGPASSWORD, else the line of
 * PGPASSFILE or ~/.pgpass. Undefined where there is none. Errors: BBX-STO-LOGIN for a file that cannot be read.
 */
export async function passwordFor(
  login: Login,
  from: { store: string; dir: string; file: string | undefined; env: NodeJS.ProcessEnv },
): Promise<string | undefined> {
  const { store, dir, file, env } = from;
  if (file !== undefined) {
    try {
      return (await readFile(resolve(dir, file), 'utf8')).replace(/\r?\n$/, '');
    } catch (cause) {
      const problem = `its password is in "${file}", which cannot be read (${errnoOf(cause) ?? String(cause)})`;
      throw codes['BBX-STO-LOGIN']({ store, problem }, { cause });
    }
  }
  if (env['PGPASSWORD'] !== undefined) return env['PGPASSWORD'];
  return new Promise((found) => pgpass(login, found));
}
