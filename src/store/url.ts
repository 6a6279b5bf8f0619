import { resolve } from 'node:path';
import { isPostgres, parsePostgresAddress, type PostgresAddress } from '../base/postgres-address.ts';
import { maskPasswords } from '../base/mask-passwords.ts';
import { codes } from './codes.ts';

/** Where a store is: a file, or a database of a server. */
export type StorePlace = { kind: 'sqlite'; file: string } | { kind: 'postgres'; address: PostgresAddress };

/** `sqlite:FILE` (relative ones from `dir`) or `postgres://…`. Errors: BBX-STO-URL, with no password in it. */
export function parseStoreUrl(url: string, dir: string): StorePlace {
  if (isPostgres(url)) {
    const address = parsePostgresAddress(url);
    if (!('problem' in address)) return { kind: 'postgres', address };
    throw codes['BBX-STO-URL']({ url: maskPasswords(url), problem: address.problem });
  }
  const file = /^sqlite:(.+)$/s.exec(url)?.[1];
  if (file === undefined) {
    throw codes['BBX-STO-URL']({
      url: maskPasswords(url),
      problem: 'it begins with neither sqlite: nor postgres:',
    });
  }
  if (file === ':memory:' || file.includes('\0')) {
    throw codes['BBX-STO-URL']({ url: maskPasswords(url), problem: 'it does not name a file' });
  }
  return { kind: 'sqlite', file: resolve(dir, file.replace(/^\/\/(?=\/)/, '')) };
}
