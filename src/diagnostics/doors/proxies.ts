import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sentences } from '../../base/error.ts';
import { masterLayout, workerLayout } from '../../config/layout.ts';
import { parseAuthority } from '../../net/endpoint/url-authority.ts';
import type { ProxySetting, ProxySettingsFacts } from '../facts/ways.ts';
import type { ProgramSubject } from '../subject.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Names that programs look at; most look at the small ones first, and at HTTP_PROXY in capitals not at all (it may come from a request). */
const NAMES = ['http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
const EXCEPTIONS = ['no_proxy', 'NO_PROXY'];
const USUAL_PORTS: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  socks: 1080,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};
const GIT_MS = 2_000;
const FILE_BYTES = 64 * 1024;

/** Every place that names a proxy for programs of this user: this process, the directory's running programs, git, npm. */
export async function readProxySettings(
  env: Environment,
  programs: readonly ProgramSubject[],
  signal: AbortSignal,
): Promise<ProxySettingsFacts> {
  const here = ofEnvironment('environment', env);
  const [git, npm, running] = await Promise.all([
    gitSettings(env, signal),
    npmSettings(env),
    Promise.all(programs.map((program) => runningEnvironment(program))),
  ]);
  const theirs = running.filter((one) => one !== undefined);
  const parts = [here, ...theirs.map(({ source, env: own }) => ofEnvironment(source, own))];
  return {
    at: new Date().toISOString(),
    settings: [...parts.flatMap(({ settings }) => settings), ...git, ...npm],
    exceptions: parts.flatMap(({ exceptions }) => exceptions),
    programs: theirs.map(({ source }) => source),
  };
}

/** The proxies that this process was given. */
export function environmentProxies(env: Environment): readonly ProxySetting[] {
  return ofEnvironment('environment', env).settings;
}

function ofEnvironment(
  source: string,
  env: Environment,
): Pick<ProxySettingsFacts, 'settings' | 'exceptions'> {
  return {
    settings: NAMES.flatMap((name) => {
      const value = env[name] ?? '';
      return value === '' ? [] : [proxySetting(source, name, value)];
    }),
    exceptions: EXCEPTIONS.flatMap((name) => {
      const entries = (env[name] ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
      return entries.length === 0 ? [] : [{ source, name, entries }];
    }),
  };
}

/** Reads the value as most programs do: `http://` where no scheme stands. What stands before an @ is cut. */
export function proxySetting(source: string, name: string, value: string): ProxySetting {
  const [, written = '', rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(value.trim()) ?? [];
  const bare = rest.slice(rest.lastIndexOf('@') + 1);
  const scheme = written.toLowerCase() || 'http';
  const cut = bare === rest ? '' : '***@';
  const shown = `${written === '' ? '' : `${written}://`}${cut}${bare}`;
  const base = { source, name, shown, host: null, port: null };
  const usual = USUAL_PORTS[scheme];
  if (usual === undefined) return { ...base, problem: `${scheme}:// is no kind of proxy` };
  try {
    const prefix = `${scheme}://`;
    const { host, port } = parseAuthority(`${prefix}${bare}`, prefix.length, { path: true });
    return { ...base, problem: null, host, port: port ?? usual };
  } catch (error) {
    return { ...base, problem: sentences(error)[0] ?? 'it cannot be read as a host and port' };
  }
}

async function gitSettings(env: Environment, signal: AbortSignal): Promise<ProxySetting[]> {
  try {
    const { stdout } = await promisify(execFile)(
      'git',
      ['config', '--null', '--get-regexp', '^(http|https|core)\\..*proxy$'],
      {
        env: { ...env, LC_ALL: 'C' },
        timeout: GIT_MS,
        maxBuffer: FILE_BYTES,
        signal,
      },
    );
    return stdout.split('\0').flatMap((entry) => {
      const [key = '', ...value] = entry.split('\n');
      const text = value.join('\n');
      // A program of its own as proxy (core.gitProxy) is no address.
      return key === '' || text === '' || key.startsWith('core.')
        ? []
        : [proxySetting('git', cutKey(key), text)];
    });
  } catch {
    signal.throwIfAborted();
    // No git, or nothing set: git says 1 for that.
    return [];
  }
}

/** `http.https://user:password@host/.proxy`: the URL in a key may hold what no key should. */
function cutKey(key: string): string {
  return key.replace(/:\/\/[^/@]*@/, '://***@');
}

async function npmSettings(env: Environment): Promise<ProxySetting[]> {
  const file =
    env['NPM_CONFIG_USERCONFIG'] ?? env['npm_config_userconfig'] ?? join(env['HOME'] ?? homedir(), '.npmrc');
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .slice(0, FILE_BYTES)
    .split('\n')
    .flatMap((line) => {
      const [, name, value = ''] = /^\s*(proxy|https-proxy|http-proxy)\s*=\s*"?([^"\s]+)/.exec(line) ?? [];
      return name === undefined || value === 'null' || value === 'false'
        ? []
        : [proxySetting('npm', name, value)];
    });
}

/** The environment of a directory's running program; undefined where it does not run or is not ours to read. */
async function runningEnvironment({
  role,
  dir,
  running,
}: ProgramSubject): Promise<{ source: string; env: Environment } | undefined> {
  if (running !== true) return undefined;
  const { lock } = role === 'master' ? masterLayout(dir) : workerLayout(dir);
  const pid = Number((await readFile(`${lock}.pid`, 'utf8').catch(() => '')).trim());
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const pairs = text
    .split('\0')
    .filter((pair) => pair.includes('='))
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const);
  return { source: `environment of the ${role} (pid ${pid})`, env: Object.fromEntries(pairs) };
}
