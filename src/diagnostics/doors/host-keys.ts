import { homedir } from 'node:os';
import { askTool } from '../../exec/ask.ts';
import type { SourceSubject } from '../far-subjects.ts';
import type { HostKey, HostKeyFact } from '../facts/sources.ts';
import { readSshSettings, sshPlaceOf, wayOf, type SshDoor } from './ssh-settings.ts';

const TOOL_MS = 2_000;
/** ssh-keyscan's own limit for each connection, and that of the whole. */
const SCAN_S = 3;
const SCAN_MS = 5_000;
/** One connection for each; what is older is refused by every ssh of today. */
const TYPES = 'ed25519,ecdsa,rsa';
/** Files that one ssh may look into. */
const MOST_FILES = 8;

/**
 * Compares the keys that an ssh server shows with those that this user's ssh knows for it, in the files that its own configuration names. Nobody
 * logs in: a key exchange is all that is made. Undefined for what is not fetched over ssh.
 */
export async function readHostKeys(source: SourceSubject, door: SshDoor): Promise<HostKeyFact | undefined> {
  const { url } = source;
  const written = url === null ? undefined : sshPlaceOf(url);
  if (url === null || written === undefined) return undefined;
  const at = new Date().toISOString();
  const fact = (part: Partial<HostKeyFact>): HostKeyFact => ({
    ...{
      at,
      name: knownHostsName(written.host, written.port),
      scanned: { host: written.host, port: written.port },
      files: [],
      strict: 'ask',
      known: [],
      shown: [],
      because: null,
    },
    ...part,
  });
  const settings = await readSshSettings(url, door);
  if (settings === undefined) return fact({ because: 'what ssh is told for it could not be read' });
  const one = (key: string) => settings.get(key)?.at(-1) ?? '';
  const { host, port, through } = wayOf(settings, written);
  const scanned = { host, port };
  const name = knownHostsName(one('hostkeyalias') || scanned.host, scanned.port);
  const strict = one('stricthostkeychecking') || 'ask';
  if (through !== null) return fact({ name, strict, because: 'ssh goes there through another host' });
  if (!['', 'none'].includes(one('knownhostscommand')) || ['yes', 'true'].includes(one('verifyhostkeydns')))
    return fact({ name, strict, because: 'ssh takes keys from elsewhere than files' });
  const words = [
    ...(settings.get('userknownhostsfile') ?? []),
    ...(settings.get('globalknownhostsfile') ?? []),
  ];
  const files = words
    .flatMap((line) => line.split(/\s+/))
    .filter((file) => file !== '' && file !== 'none')
    .map((file) => file.replace(/^~(?=\/)/, door.env['HOME'] ?? homedir()))
    .slice(0, MOST_FILES);
  const [known, shown] = await Promise.all([
    Promise.all(files.map((file) => knownIn(file, name, door))),
    shownBy(scanned, door),
  ]);
  const all = known.flat();
  if (all.some(({ type }) => type.startsWith('@')))
    return fact({ name, files, strict, because: 'an authority, or a withdrawn key, is written down for it' });
  if (shown === undefined)
    return fact({
      name,
      scanned,
      files,
      strict,
      because: 'ssh-keyscan is not installed, or was not done in time',
    });
  return fact({ name, scanned, files, strict, known: all, shown });
}

/** A host as files of known hosts have it (sshd(8)): alone for port 22, else in brackets with its port. */
function knownHostsName(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

/** The keys of a file for a name, also of names that are hashed in it. */
async function knownIn(file: string, name: string, { signal }: SshDoor): Promise<HostKey[]> {
  const { stdout } = await askTool('ssh-keygen', ['-F', name, '-f', file], { timeoutMs: TOOL_MS, signal });
  return keysIn(stdout);
}

async function shownBy(
  { host, port }: HostKeyFact['scanned'],
  { signal }: SshDoor,
): Promise<HostKey[] | undefined> {
  const words = ['-T', String(SCAN_S), '-t', TYPES, '-p', String(port), '--', host];
  const { exit, stdout } = await askTool('ssh-keyscan', words, { timeoutMs: SCAN_MS, signal });
  const keys = keysIn(stdout);
  return keys.length === 0 && exit !== 0 ? undefined : keys;
}

/** Lines of known hosts (sshd(8)): names, type, key; a marker (`@cert-authority`) stands for the type. */
function keysIn(text: string): HostKey[] {
  return text.split('\n').flatMap((line): HostKey[] => {
    if (line.startsWith('#') || line.trim() === '') return [];
    const [first = '', type = '', key = ''] = line.trim().split(/\s+/);
    if (first.startsWith('@')) return [{ type: first, key: '' }];
    return key === '' ? [] : [{ type, key }];
  });
}
