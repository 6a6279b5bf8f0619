import { askTool } from '../../exec/ask.ts';
import { parseRepository } from '../../net/endpoint/repository.ts';
import { gate } from '../asking.ts';
import type { SshWay } from '../facts/sources.ts';

const TOOL_MS = 2_000;
const SSH_AT_A_TIME = 4;
/** Schemes that git hands to ssh; its short form (`user@host:path`) is read as the first. */
const SCHEMES = new Set(['ssh', 'git+ssh', 'ssh+git']);

export interface SshDoor {
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
}

/** Host and port of a URL that git hands to ssh, as it is written; undefined for any other. */
export function sshPlaceOf(url: string): { readonly host: string; readonly port: number } | undefined {
  const place = parseRepository(url);
  return place.kind === 'remote' && SCHEMES.has(place.scheme) ? place : undefined;
}

/** What `ssh -G` says for a repository, by key, of the ssh that git would run; it connects nowhere. Undefined where that is no OpenSSH. */
export async function readSshSettings(
  url: string,
  { env, signal }: SshDoor,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  const place = sshPlaceOf(url);
  if (place === undefined) return undefined;
  const user = /^(?:[a-z+]+:\/\/)?([^@/:]+)@/i.exec(url)?.[1];
  // git names no port that the URL does not: then ssh's own configuration has a word in it.
  const port = /^[a-z+]+:\/\/[^/]*:(\d+)(?:\/|$)/i.exec(url)?.[1];
  const words = ['-G', ...option('-l', user), ...option('-p', port), '--', place.host];
  const given = (env['GIT_SSH_COMMAND'] ?? '').trim();
  // Another program than OpenSSH has files of its own.
  if (given !== '' && !/^(?:\S*\/)?ssh(?:\s|$)/.test(given)) return undefined;
  const { exit, stdout } = await (given === ''
    ? askTool('ssh', words, { timeoutMs: TOOL_MS, signal })
    : // As git does with it: words of a shell, and then its own.
      askTool('sh', ['-c', `${given} "$@"`, 'ssh', ...words], { timeoutMs: TOOL_MS, signal }));
  if (exit !== 0) return undefined;
  const settings = new Map<string, string[]>();
  for (const line of stdout.split('\n')) {
    const [, key = '', value = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    settings.set(key, [...(settings.get(key) ?? []), value.trim()]);
  }
  return settings;
}

/** Where ssh goes by its settings; what they do not say is as the URL has it. */
export function wayOf(
  settings: ReadonlyMap<string, readonly string[]>,
  written: { readonly host: string; readonly port: number },
): SshWay {
  const one = (key: string) => settings.get(key)?.at(-1) ?? '';
  const jump = one('proxyjump');
  const isCommand = !['', 'none'].includes(one('proxycommand'));
  return {
    written: written.host,
    host: one('hostname') || written.host,
    port: Number(one('port')) || written.port,
    // A command may hold a password, and its words say little.
    through: !['', 'none'].includes(jump) ? `ProxyJump ${jump}` : isCommand ? 'ProxyCommand' : null,
  };
}

/** Where ssh goes for each repository, by URL; without those for which it goes where the URL says. */
export async function readSshWays(
  urls: readonly string[],
  door: SshDoor,
): Promise<ReadonlyMap<string, SshWay>> {
  const ways = new Map<string, SshWay>();
  const through = gate(SSH_AT_A_TIME);
  await Promise.all(
    [...new Set(urls)].map(async (url) => {
      const written = sshPlaceOf(url);
      if (written === undefined) return;
      const settings = await through(() => readSshSettings(url, door));
      if (settings === undefined) return;
      const way = wayOf(settings, written);
      const isSame =
        way.host.toLowerCase() === written.host.toLowerCase() && way.port === written.port && !way.through;
      if (!isSame) ways.set(url, way);
    }),
  );
  return ways;
}

function option(flag: string, value: string | undefined): string[] {
  return value === undefined ? [] : [flag, value];
}
