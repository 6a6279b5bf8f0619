import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { PostgresAddress } from '../../base/postgres-address.ts';
import { errnoOf } from '../../base/error.ts';
import { codes } from '../codes.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\/.*)$/;

/**
 * How the connection to one host is protected: on this machine not at all, elsewhere with the server's certificate checked against its
 * name, unless the address says otherwise. Errors: BBX-STO-TLS for files that cannot be read.
 */
export async function tlsFor(
  host: string,
  address: PostgresAddress,
  from: { store: string; dir: string },
): Promise<ConnectionOptions | false> {
  const mode = address.tls ?? (LOOPBACK.test(host) ? 'disable' : 'verify-full');
  if (mode === 'disable' || host.startsWith('/')) return false;
  const read = async (file: string | undefined): Promise<string | undefined> => {
    if (file === undefined) return undefined;
    try {
      return await readFile(resolve(from.dir, file), 'utf8');
    } catch (cause) {
      const problem = `"${file}" cannot be read (${errnoOf(cause) ?? String(cause)})`;
      throw codes['BBX-STO-TLS']({ store: from.store, problem }, { cause });
    }
  };
  const [ca, cert, key] = await Promise.all([read(address.ca), read(address.certificate), read(address.key)]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: mode !== 'require',
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}
