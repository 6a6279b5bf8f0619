import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { certificateMaker, newAuthority } from '../../../lab/stage/certificates.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';

const FILE = pathToFileURL(join(import.meta.dirname, '../../../../src/net/tls/authorities.ts')).href;
const SCRIPT = `
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { addedAuthority, verdictWithSystem } from '${FILE}';
const [leaf, root] = readFileSync(process.argv[2], 'utf8').split('\\0').map((pem) => new X509Certificate(pem));
const mozilla = new X509Certificate(rootCertificates[0]);
const ask = (chain, trusted) => addedAuthority(chain, { trusted });
console.log(JSON.stringify([ask([leaf], false), ask([leaf, root], false), ask([leaf], true), ask([mozilla], false), ask([], false),
  verdictWithSystem([leaf], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE').distrust, verdictWithSystem([leaf], 'CERT_HAS_EXPIRED').distrust]));
`;

/** Node reads its lists of authorities once, so each question about other lists needs a process of its own. */
async function asked(env: (authority: string) => Record<string, string>): Promise<unknown[]> {
  await using dir = await tempDir();
  const authority = newAuthority();
  const { cert } = certificateMaker(authority.pem + authority.key).make({ names: ['ci.example'] });
  const [script, chain, file] = ['ask.mjs', 'chain', 'authority.pem'].map((one) => join(dir.path, one)) as [
    string,
    string,
    string,
  ];
  await writeFile(script, SCRIPT);
  await writeFile(chain, `${cert}\0${authority.pem}`);
  await writeFile(file, authority.pem);
  const { NODE_EXTRA_CA_CERTS: _, SSL_CERT_FILE: __, ...rest } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [script, chain], {
    env: { ...rest, SSL_CERT_DIR: join(dir.path, 'none'), ...env(file) },
  });
  return JSON.parse(stdout) as unknown[];
}

describe('the authority behind a chain', () => {
  it("is one of the system's, where this process does not trust it", async () => {
    const system = { subject: 'CN=bbx lab authority', from: 'system' };
    const answers = await asked((file) => ({ SSL_CERT_FILE: file }));
    expect(answers.slice(0, 5)).toEqual([system, system, null, null, null]);
    // What it signed is trusted; what is over stays so.
    expect(answers.slice(5)).toEqual([null, 'CERT_HAS_EXPIRED']);
  });

  it('is one that this process was told to trust', async () => {
    const [, , trusted] = await asked((file) => ({ NODE_EXTRA_CA_CERTS: file }));
    expect(trusted).toEqual({ subject: 'CN=bbx lab authority', from: 'trusted' });
  });

  it('is nobody where none is known', async () => {
    const answers = await asked(() => ({}));
    expect(answers.slice(0, 5)).toEqual([null, null, null, null, null]);
    expect(answers.slice(5)).toEqual(['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_HAS_EXPIRED']);
  });
});
