import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { BbxError, sentences } from '../../base/error.ts';
import { withoutCredentials } from '../../base/without-credentials.ts';
import { askTool } from '../../exec/ask.ts';
import { lsRemote } from '../../exec/git.ts';
import { namesProxy, openGitRoutes } from '../../net/git-routes.ts';
import type { SourceSubject } from '../far-subjects.ts';
import type { NestedFacts, RepositoryFact } from '../facts/sources.ts';
import { readSshWays } from './ssh-settings.ts';

/** One repository: with what comes before it, it must fit the budget. */
const GIT_MS = 8_000;
const SHOW_MS = 2_000;
/** Files of a repository that name others; a larger one is none. */
const FILE_BYTES = 256 * 1024;
const MOST_PARTS = 32;
/** Directories below a worker's `builds` that are looked into, and how deep: builder, workdir. */
const MOST_DIRECTORIES = 200;
const DEPTH = 3;

export interface SourceDoor {
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
}

/** Asks a repository what it has, over the routes that a worker's git takes, without any login that the configuration knows. */
export async function readRepository({ url }: SourceSubject, door: SourceDoor): Promise<RepositoryFact> {
  await using routes = await openGitRoutes({ via: [], env: door.env });
  const route = routes.open();
  try {
    return await listRepository(url ?? '', { ...door, extraEnv: route.env, failures: route.failures });
  } finally {
    route.close();
  }
}

/**
 * The same at one address alone: git's http is told the address of the name, ssh the family, and of git:// the name is no part of the
 * conversation. Undefined where a proxy looks the name up.
 */
export async function readRepositoryAt(
  { url, host, port }: SourceSubject,
  address: string,
  door: SourceDoor,
): Promise<RepositoryFact | undefined> {
  if (url === null || host === null || namesProxy(door.env)) return undefined;
  const six = address.includes(':');
  const scheme = /^([a-z+]+):\/\//i.exec(url)?.[1]?.toLowerCase() ?? 'ssh';
  const literal = six ? `[${address}]` : address;
  switch (scheme) {
    case 'http':
    case 'https':
      return listRepository(url, {
        ...door,
        extraEnv: {
          GIT_CONFIG_COUNT: '1',
          GIT_CONFIG_KEY_0: 'http.curloptResolve',
          GIT_CONFIG_VALUE_0: `${host}:${port ?? 0}:${literal}`,
        },
      });
    case 'git':
      return listRepository(url.replace(/^(git:\/\/)(?:\[[^\]]*\]|[^/:]*)/i, `$1${literal}`), door);
    case 'ssh':
    case 'git+ssh':
    case 'ssh+git': {
      const given = (door.env['GIT_SSH_COMMAND'] ?? '').trim() || 'ssh';
      if (!/^(?:\S*\/)?ssh(?:\s|$)/.test(given)) return undefined;
      return listRepository(url, {
        ...door,
        env: { ...door.env, GIT_SSH_COMMAND: `${given} ${six ? '-6' : '-4'}` },
      });
    }
    default:
      return undefined;
  }
}

interface ListOptions extends SourceDoor {
  extraEnv?: Readonly<Record<string, string>>;
  failures?: () => readonly BbxError[];
}

async function listRepository(url: string, options: ListOptions): Promise<RepositoryFact> {
  const { env, signal, extraEnv, failures = () => [] } = options;
  const at = new Date().toISOString();
  const started = performance.now();
  const fact = (outcome: RepositoryFact['outcome'], reason: string | null): RepositoryFact => ({
    at,
    outcome,
    reason,
    ms: Math.round(performance.now() - started),
  });
  try {
    await lsRemote(url, ['HEAD'], { env, extraEnv, signal, timeoutMs: GIT_MS });
    return fact('ok', null);
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    if (error.code === 'BBX-EXE-MISSING') return fact('no git', null);
    if (error.code === 'BBX-EXE-GIT-TIME') return fact('late', null);
    const reason = reasonOf(error, failures());
    return fact(outcomeOf(reason), reason);
  }
}

/** git only learns that its proxy said no; why stands with the route. */
function reasonOf(error: BbxError, failures: readonly BbxError[]): string {
  const { reason } = error.data as { reason?: unknown };
  const own = typeof reason === 'string' ? reason : (sentences(error)[0] ?? 'it failed');
  return withoutCredentials(failures[0] === undefined ? own : `${own}: ${failures[0].message}`);
}

function outcomeOf(reason: string): RepositoryFact['outcome'] {
  if (
    /could not read (Username|Password)|Authentication failed|Permission denied|terminal prompts disabled|error: 40[13]/i.test(
      reason,
    )
  )
    return 'login';
  if (
    /not found|does not (appear to be|exist)|no such|error: 404/i.test(reason) &&
    !/resolve host|Could not resolve/i.test(reason)
  )
    return 'missing';
  return 'failed';
}

/** The hosts that a checkout or mirror of this machine names beside its own: submodules, and LFS. */
export async function readNested({ copies, url }: SourceSubject, door: SourceDoor): Promise<NestedFacts> {
  const at = new Date().toISOString();
  for (const copy of copies) {
    const read = await reader(copy, door);
    if (read === undefined) continue;
    const [modules, lfs] = await Promise.all([read('.gitmodules'), read('.lfsconfig')]);
    const parts = [
      ...urlsIn(modules).map((one) => ({ what: 'submodule' as const, url: one })),
      ...urlsIn(lfs).map((one) => ({ what: 'LFS' as const, url: one })),
    ];
    // A relative one (`../other.git`) leads to the repository's own host.
    const elsewhere = parts
      .filter((part) => !/^\.{1,2}\//.test(part.url) && part.url !== url)
      .slice(0, MOST_PARTS);
    const ways = await readSshWays(
      elsewhere.map((part) => part.url),
      door,
    );
    return {
      at,
      copy,
      parts: elsewhere.map((part) => ({
        ...part,
        url: withoutCredentials(part.url),
        ssh: ways.get(part.url) ?? null,
      })),
    };
  }
  return { at, copy: null, parts: [] };
}

type ReadFile = (path: string) => Promise<string>;

/** Reads files of a checkout from the disk, and of a bare repository from the newest of its branches. */
async function reader(copy: string, door: SourceDoor): Promise<ReadFile | undefined> {
  const there = (path: string) =>
    stat(path).then(
      () => true,
      () => false,
    );
  if (await there(join(copy, '.git')))
    return async (path) => (await readFile(join(copy, path), 'utf8').catch(() => '')).slice(0, FILE_BYTES);
  if (!(await there(join(copy, 'HEAD')))) return undefined;
  const git = (...words: string[]) =>
    askTool('git', [`--git-dir=${copy}`, ...words], { timeoutMs: SHOW_MS, signal: door.signal });
  const { stdout } = await git(
    'for-each-ref',
    '--count=1',
    '--sort=-committerdate',
    '--format=%(objectname)',
    'refs/heads',
  );
  const revision = stdout.trim();
  if (!/^[\da-f]{40,64}$/.test(revision)) return undefined;
  return async (path) => (await git('show', `${revision}:${path}`)).stdout.slice(0, FILE_BYTES);
}

/** Values of `url =` in git's configuration form. */
function urlsIn(text: string): string[] {
  return [...text.matchAll(/^[ \t]*url[ \t]*=[ \t]*"?([^"\n#;]+?)"?[ \t]*$/gim)].map(([, url = '']) => url);
}

/** A repository that a worker has checked out. */
export interface Checkout {
  readonly url: string;
  readonly dir: string;
  readonly builder: string;
}

/** The checkouts below a worker's builds, by their remotes. */
export async function readCheckouts(builds: string): Promise<Checkout[]> {
  const found: Checkout[] = [];
  let looked = 0;
  const walk = async (dir: string, depth: number): Promise<void> => {
    looked += 1;
    if (looked > MOST_DIRECTORIES) return;
    const config = await readFile(join(dir, '.git/config'), 'utf8').catch(() => undefined);
    if (config !== undefined) {
      const [url] = urlsIn(config.slice(0, FILE_BYTES));
      const [builder = ''] = relative(builds, dir).split('/');
      if (url !== undefined) found.push({ url, dir, builder });
      return;
    }
    if (depth >= DEPTH) return;
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) if (entry.isDirectory()) await walk(join(dir, entry.name), depth + 1);
  };
  await walk(builds, 0);
  return found;
}
