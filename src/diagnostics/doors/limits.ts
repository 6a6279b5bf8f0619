import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../base/abort.ts';
import { errnoOf } from '../../base/error.ts';
import { printHostPort } from '../../net/endpoint/host.ts';
import { LISTEN } from '../../net/proc.ts';
import type { LimitFacts, ProcessFact } from '../facts/limits.ts';
import { readTables } from './listeners.ts';
import { nodeOptions } from './policy.ts';

const RETRY_MS = 50;
const MOST_TRIES = 40;

/** Reads the system's limits without privilege. `proc` stands in for /proc in tests. */
export async function readLimits(proc = '/proc'): Promise<LimitFacts> {
  const number = async (path: string) => {
    const text = await readFile(join(proc, 'sys/net', path), 'utf8').catch(() => '');
    return /^\d+/.test(text.trim()) ? Number(text.trim()) : null;
  };
  const [range, count, most, flowSeconds, somaxconn, retries, rows] = await Promise.all([
    readFile(join(proc, 'sys/net/ipv4/ip_local_port_range'), 'utf8').catch(() => ''),
    number('netfilter/nf_conntrack_count'),
    number('netfilter/nf_conntrack_max'),
    number('netfilter/nf_conntrack_tcp_timeout_established'),
    number('core/somaxconn'),
    number('ipv4/tcp_retries2'),
    readTables(proc),
  ]);
  const [, from, to] = /^(\d+)\s+(\d+)/.exec(range.trim()) ?? [];
  const ports =
    from === undefined || to === undefined || rows === undefined
      ? null
      : { from: Number(from), to: Number(to), ...takenOf(rows, Number(from), Number(to)) };
  return {
    at: new Date().toISOString(),
    ports,
    flows: count === null || most === null || most === 0 ? null : { count, most },
    flowSeconds,
    somaxconn,
    retries,
  };
}

/** A port is taken for every far end by whoever listens on it, at whichever address; by a connection for its own far end. */
function takenOf(
  rows: NonNullable<Awaited<ReturnType<typeof readTables>>>,
  from: number,
  to: number,
): Pick<NonNullable<LimitFacts['ports']>, 'listening' | 'busiest'> {
  const within = rows.filter(({ localPort }) => localPort >= from && localPort <= to);
  const listening = new Set(within.filter(({ state }) => state === LISTEN).map((row) => row.localPort));
  const ports = new Map<string, Set<number>>();
  for (const row of within) {
    if (listening.has(row.localPort)) continue;
    const remote = printHostPort(row.remoteAddress.replace(/^::ffff:(?=[\d.]+$)/, ''), row.remotePort);
    ports.set(remote, (ports.get(remote) ?? new Set()).add(row.localPort));
  }
  const [busiest] = [...ports].sort(([, a], [, b]) => b.size - a.size);
  return {
    listening: listening.size,
    busiest: busiest === undefined ? null : { remote: busiest[0], count: busiest[1].size },
  };
}

/** One process; undefined where it has ended. What another user's process hides is null. */
export async function readProcess(
  pid: number | 'self',
  where: string,
  proc = '/proc',
): Promise<ProcessFact | undefined> {
  const own = (path: string) => readWithPatience(join(proc, String(pid), path));
  const [limits, files, environment, words, cgroup] = await Promise.all([
    own('limits'),
    readdir(join(proc, String(pid), 'fd')).catch(() => undefined),
    own('environ'),
    own('cmdline'),
    own('cgroup'),
  ]);
  if (words === undefined && limits === undefined) return undefined;
  const limit = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? '')?.[1];
  const variables = (environment ?? '').split('\0');
  const variable = (name: string) =>
    variables.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
  // Options stand before the script; what comes behind it is the program's own.
  const flags = (words ?? '').split('\0').slice(1);
  const script = flags.findIndex((word) => !word.startsWith('-'));
  return {
    where,
    pid: pid === 'self' ? process.pid : pid,
    fileLimit: limit === undefined ? null : limit === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(limit),
    openFiles: files?.length ?? null,
    node: [
      ...nodeOptions(variable('NODE_OPTIONS'), variable('NODE_TLS_REJECT_UNAUTHORIZED'), where),
      ...nodeOptions(flags.slice(0, Math.max(0, script)).join(' '), undefined, where),
    ],
    unit: /\/([^/\n]+\.(?:service|scope))$/m.exec(cgroup?.trim() ?? '')?.[1] ?? null,
    ownUnit: /\/user@\d+\.service\//.test(cgroup ?? ''),
  };
}

/** Where descriptors are short, some come free again while the other questions end. */
async function readWithPatience(path: string): Promise<string | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      const short = errnoOf(error) === 'EMFILE' || errnoOf(error) === 'ENFILE';
      if (!short || tries >= MOST_TRIES) return undefined;
      await sleep(RETRY_MS);
    }
  }
}

/** The process that holds the lock of a directory, by the kernel's table; undefined where nobody does, or it cannot be seen. */
export async function holderOf(lockFile: string, proc = '/proc'): Promise<number | undefined> {
  try {
    const [{ ino }, table] = await Promise.all([
      stat(lockFile, { bigint: true }),
      readFile(join(proc, 'locks'), 'utf8'),
    ]);
    const line = table.split('\n').find((one) => / WRITE /.test(one) && one.includes(`:${ino} `));
    const pid = Number(/ WRITE (\d+) /.exec(line ?? '')?.[1]);
    // A process of another pid namespace shows as 0.
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
