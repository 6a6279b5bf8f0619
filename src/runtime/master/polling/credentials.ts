import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MasterConfig, RepositoryConfig } from '../../../config/master-config.ts';
import { readSecrets } from '../secrets.ts';

/**
 * Lets git ask a repository with its credentials, for as long as `act` runs: they stand in a file (0600) below `dir`, in the form of git's
 * credential store, which gives a line only to the host that it names. The machine's own helpers are not asked then. Throws BBX-MAS-SECRET.
 */
export async function withCredentials<T>(
  config: Pick<MasterConfig, 'secrets'>,
  repository: RepositoryConfig,
  dir: string,
  act: (env: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  if (repository.credentials === null) return act({});
  const { secret: name } = repository.credentials;
  const secrets = await readSecrets(config, [name]);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, `credentials-${randomBytes(8).toString('hex')}`);
  try {
    await writeFile(file, `${secrets.get(name)?.reveal() ?? ''}\n`, { mode: 0o600, flag: 'wx' });
    return await act({
      // An empty helper takes all helpers away that were set before.
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'credential.helper',
      GIT_CONFIG_VALUE_0: '',
      GIT_CONFIG_KEY_1: 'credential.helper',
      GIT_CONFIG_VALUE_1: `store --file='${file.replaceAll("'", String.raw`'\''`)}'`,
    });
  } finally {
    await rm(file, { force: true });
  }
}
