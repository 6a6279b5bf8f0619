import { access, stat } from 'node:fs/promises';
import { errnoOf } from '../base/error.ts';
import { printAddress } from '../net/endpoint/address.ts';
import { printListen } from '../net/endpoint/listen-address.ts';
import { codes } from './codes.ts';
import { crossCheck } from './cross-check.ts';
import { evaluateConfig } from './code.ts';
import { plainDocument, problemAt, type ConfigDocument } from './document.ts';
import { masterLayout } from './layout.ts';
import {
  loadDocument,
  readText,
  shownName,
  yamlDocument,
  type Language,
  type Loaded,
  type LoadOptions,
} from './load.ts';
import { resolveMaster, type MasterConfig } from './master-config.ts';
import { MASTER_SETTINGS } from './override.ts';
import type { Problem } from './problem.ts';
import { masterSchema } from './schema/master.ts';

export type {
  BranchSchedulerConfig,
  BuilderConfig,
  MasterConfig,
  NightlySchedulerConfig,
  RepositoryConfig,
  SchedulerConfig,
  WorkerSettings,
} from './master-config.ts';

/** Mode bits that let others than the owner at a secret. */
const OTHERS = 0o077;

export const masterLanguage: Language<typeof masterSchema, MasterConfig> = {
  schema: masterSchema,
  settings: MASTER_SETTINGS,
  crossCheck,
  resolve: resolveMaster,
  lastCheck: async (config, document) => [
    ...addressProblems(config, document),
    ...(await secretProblems(config, document)),
  ],
};

/**
 * The configuration of the master's directory `dir`, from `master.yaml` or `master.config.ts`, environment and flags over it.
 * Throws BBX-CFG-MISSING, BBX-CFG-TWO-FILES, BBX-CFG-READ, BBX-CFG-CODE, and BBX-CFG-INVALID with every problem in its data.
 */
export async function loadMaster(dir: string, options: LoadOptions = {}): Promise<Loaded<MasterConfig>> {
  const read = await readMaster(dir, options.signal);
  return loadDocument(masterLanguage, read, options);
}

/** The file of a master's directory, read and not checked. Throws as `loadMaster`, but never BBX-CFG-INVALID. */
export async function readMaster(
  dir: string,
  signal?: AbortSignal,
): Promise<{ document: ConfigDocument; file: string; text: string; dir: string }> {
  const { configYaml, configTs, root } = masterLayout(dir);
  const [yaml, code] = [await readText(configYaml), await readText(configTs)];
  if (yaml !== undefined && code !== undefined) throw codes['BBX-CFG-TWO-FILES']({ dir });
  if (yaml !== undefined) return { ...yamlDocument(yaml, configYaml), file: configYaml, dir: root };
  if (code === undefined) throw codes['BBX-CFG-MISSING']({ dir, role: 'master' });
  const { value } = await evaluateConfig(configTs, { signal });
  const document = plainDocument(shownName(configTs), value);
  return { document, file: configTs, text: code.toString('utf8'), dir: root };
}

function addressProblems(config: MasterConfig, document: ConfigDocument): Problem[] {
  const web = new Set(config.listen.web.map(printListen));
  const twice = config.listen.workers
    .map(printListen)
    .filter((address) => web.has(address) && !address.endsWith(':0'))
    .map((address) =>
      problemAt(document, ['listen', 'web'], {
        message: `${address} is taken already: workers connect there`,
        fix: 'choose another port',
      }),
    );
  const zones = config.reach.flatMap((address, index) =>
    address.kind !== 'unix' && address.host.includes('%')
      ? [
          problemAt(document, Array.isArray(valueOfReach(document)) ? ['reach', index] : ['reach'], {
            message: `${printAddress(address)} has a zone, which means something on this host only`,
            fix: 'write an address that workers can use, or a name',
          }),
        ]
      : [],
  );
  return [...twice, ...zones];
}

function valueOfReach(document: ConfigDocument): unknown {
  return (document.value as { reach?: unknown } | null | undefined)?.reach;
}

/** Every secret must be a file that only its owner can read. */
async function secretProblems(config: MasterConfig, document: ConfigDocument): Promise<Problem[]> {
  const found = await Promise.all(
    Object.entries(config.secrets).map(async ([name, { file }]): Promise<Problem | undefined> => {
      const says = (message: string, fix: string) =>
        problemAt(document, ['secrets', name, 'file'], { message, fix });
      const state = await stateOf(file);
      if (state === 'missing')
        return says(`the file "${file}" is not there`, `write the secret into it, then: chmod 600 ${file}`);
      if (state === 'unreadable')
        return says(`this user may not read "${file}"`, 'give the file to the master’s user');
      if (state === 'not a file') return says(`"${file}" is not a file`, 'name a file');
      if (state === 'open') return says(`others may read "${file}"`, `chmod 600 ${file}`);
      return undefined;
    }),
  );
  return found.filter((problem) => problem !== undefined);
}

async function stateOf(file: string): Promise<'missing' | 'unreadable' | 'not a file' | 'open' | 'good'> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) return 'not a file';
    if (process.platform !== 'win32' && (stats.mode & OTHERS) !== 0) return 'open';
    await access(file);
    return 'good';
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EACCES' || errno === 'EPERM') return 'unreadable';
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG' || errno === 'ELOOP')
      return 'missing';
    throw error;
  }
}
