import { access, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { askTool, type Asked } from '../../exec/ask.ts';
import { findUser } from '../../exec/identity.ts';
import type { NetworkFacts, ServiceFacts } from '../facts/service.ts';
import type { ProgramSubject } from '../subject.ts';
import { holderOf } from './limits.ts';
import { masterLayout, workerLayout } from '../../config/layout.ts';

const SHOW_MS = 2_000;
/** Unit files of a system that has more are not looked through. */
const MOST_UNITS = 1_000;

const PROPERTIES = [
  ...['LoadState', 'ActiveState', 'SubState', 'UnitFileState', 'NRestarts', 'Result', 'ExecMainStatus'],
  ...['RestrictAddressFamilies', 'IPAddressDeny', 'IPAddressAllow', 'PrivateNetwork', 'After', 'TriggeredBy'],
  ...['User', 'WorkingDirectory', 'LimitNOFILE', 'NeedDaemonReload'],
];

export interface ServiceDoor {
  signal: AbortSignal;
  /** Stand in for the system's in tests. */
  root?: string;
  show?: (words: readonly string[]) => Promise<Asked>;
}

/** Finds the unit that runs, or would run, a program, and asks systemd about it. */
export async function readService(
  program: ProgramSubject,
  unit: string | null,
  door: ServiceDoor,
): Promise<ServiceFacts> {
  const { root = '/', signal } = door;
  const facts = (part: Partial<ServiceFacts>): ServiceFacts => ({
    at: new Date().toISOString(),
    state: 'none',
    unit: '',
    own: false,
    properties: {},
    owner: null,
    runner: null,
    ...part,
  });
  const there = await access(join(root, 'run/systemd/system')).then(
    () => true,
    () => false,
  );
  if (!there) return facts({});
  const found = await unitOf(program, unit, root);
  if (found === undefined) return facts({ state: 'no unit' });
  const words = [...(found.own ? ['--user'] : []), 'show', found.unit, `--property=${PROPERTIES.join(',')}`];
  const show =
    door.show ?? ((given: readonly string[]) => askTool('systemctl', given, { timeoutMs: SHOW_MS, signal }));
  const { exit, stdout } = await show(words);
  if (exit !== 0) return facts({ state: 'silent', ...found });
  const properties = parseShow(stdout);
  const name = properties['User'] ?? '';
  const [owner, user] = await Promise.all([
    stat(program.dir).then(
      ({ uid }) => uid,
      () => null,
    ),
    name === '' ? undefined : findUser(name).catch(() => undefined),
  ]);
  return facts({
    state: 'known',
    ...found,
    properties,
    owner,
    runner: found.own
      ? null
      : { name: name === '' ? 'root' : name, uid: name === '' ? 0 : (user?.uid ?? null) },
  });
}

/** `Key=value` lines, the value as it stands. */
export function parseShow(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at <= 0 ? [] : [[line.slice(0, at), line.slice(at + 1).trim()] as const];
    }),
  );
}

/** The unit that the process belongs to; else one whose file names the command and the directory. */
async function unitOf(
  program: ProgramSubject,
  unit: string | null,
  root: string,
): Promise<Pick<ServiceFacts, 'unit' | 'own'> | undefined> {
  // A program that a person started in a session belongs to a scope, or to the unit of the session itself.
  if (unit?.endsWith('.service') === true && !/^(user@|session|ssh|getty|cron|docker|containerd)/.test(unit))
    return { unit, own: false };
  const places = [
    { dir: join(root, 'etc/systemd/system'), own: false },
    { dir: join(root, 'usr/lib/systemd/system'), own: false },
    { dir: join(homedir(), '.config/systemd/user'), own: true },
  ];
  for (const { dir, own } of places) {
    const names = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith('.service'));
    for (const name of names.slice(0, MOST_UNITS)) {
      const text = await readFile(join(dir, name), 'utf8').catch(() => '');
      if (runs(text, program)) return { unit: name, own };
    }
  }
  return undefined;
}

function runs(text: string, { role, dir }: ProgramSubject): boolean {
  const values = (key: string) =>
    [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value.trim());
  const starts = values('ExecStart').filter((line) =>
    new RegExp(`\\bbbx\\b.*\\brun\\s+${role}\\b`).test(line),
  );
  const wanted = resolve(dir);
  const names = (line: string) => line.split(/\s+/).some((word) => word.replace(/\/$/, '') === wanted);
  const within = values('WorkingDirectory').some((value) => {
    const place = value.replace(/^[-~]/, '').replace(/\/$/, '');
    return place === wanted || join(place, role) === wanted;
  });
  return starts.some((line) => names(line) || within);
}

/** Whether a running program lives in this process's network. */
export async function readNetwork(program: ProgramSubject): Promise<NetworkFacts> {
  const { lock } = program.role === 'master' ? masterLayout(program.dir) : workerLayout(program.dir);
  const pid = await holderOf(lock);
  const of = (name: string) => readlink(`/proc/${name}/ns/net`).catch(() => null);
  const [own, other] = await Promise.all([of('self'), pid === undefined ? null : of(String(pid))]);
  return { at: new Date().toISOString(), own, program: other };
}
