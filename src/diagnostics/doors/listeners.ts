import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep } from '../../base/abort.ts';
import { kindOf } from '../../net/address-kind.ts';
import { LISTEN, parseTcpTable, type TcpRow } from '../../net/proc.ts';
import { usableAddresses, type HostFacts } from '../facts/host.ts';
import type { BindFact, ListenerFacts, ListenRow } from '../facts/listeners.ts';
import type { Attempt } from '../facts/paths.ts';
import type { ListenerSubject } from '../subject.ts';
import { bindError } from './host.ts';
import { programName } from './program-name.ts';

/** Own addresses of each family that are tried besides loopback. */
const OWN_TRIED = 2;
/** Processes looked through for the owner of a socket; on larger hosts the owner stays unnamed. */
const PROCESSES = 2_000;
/** A program that has not accepted by then hangs; one whose event loop is busy has. */
const ACCEPT_MS = 1_000;
const ACCEPT_POLL_MS = 100;
/** Ports behind one that is held; of the free ones the configuration may mean some for others. */
const PORTS_TRIED = 32;
const PORTS_OFFERED = 4;
const MOST_PORT = 65_535;

export interface ListenerDoor {
  host: HostFacts;
  connect: (address: string, port: number) => Promise<Attempt>;
  proc?: string;
}

/** What the kernel and our own connections say of one listener. */
export async function readListener(listener: ListenerSubject, door: ListenerDoor): Promise<ListenerFacts> {
  const { host, connect, proc = '/proc' } = door;
  const { port } = listener;
  const rows = await readRows(port, proc);
  const up = rows === undefined ? listener.state === 'running' : rows.length > 0;
  const attempts =
    up && listener.state !== 'stopped'
      ? await Promise.all(ownAddresses(listener, host).map((address) => connect(address, port)))
      : [];
  const unaccepted = attempts.length === 0 ? 0 : await readUnaccepted(port, proc);
  const binds: BindFact[] = [];
  if (listener.state !== 'running' && port !== 0) {
    // One after another: `::` and `127.0.0.1` would hinder each other.
    for (const address of listener.hosts) binds.push({ address, errno: await bindError(address, port) });
  }
  const isHeld = binds.some(({ errno }) => errno === 'EADDRINUSE');
  const free = isHeld ? await freePorts(listener) : [];
  return { at: new Date().toISOString(), rows, attempts, unaccepted, binds, free };
}

/** The next ports that nobody holds. */
async function freePorts({ hosts, port }: ListenerSubject): Promise<number[]> {
  const free: number[] = [];
  const last = Math.min(port + PORTS_TRIED, MOST_PORT);
  for (let one = port + 1; one <= last && free.length < PORTS_OFFERED; one += 1) {
    let isFree = true;
    for (const host of hosts) isFree &&= (await bindError(host, one)) === null;
    if (isFree) free.push(one);
  }
  return free;
}

/** How many connections stand unaccepted; waits while there are some, since a busy program takes a moment. */
async function readUnaccepted(port: number, proc: string): Promise<number> {
  for (let waited = 0; ; waited += ACCEPT_POLL_MS) {
    const tables = await readTables(proc);
    const waiting = (tables ?? [])
      .filter((row) => row.state === LISTEN && row.localPort === port)
      .map((row) => row.receiveQueue);
    const most = Math.max(0, ...waiting);
    if (most === 0 || waited >= ACCEPT_MS) return most;
    await sleep(ACCEPT_POLL_MS);
  }
}

/** Loopback of both families, the listener's own literals, and some addresses that others use. */
function ownAddresses(listener: ListenerSubject, host: HostFacts): string[] {
  const literals = listener.hosts.filter((address) => kindOf(address) !== 'unspecified');
  if (literals.length === listener.hosts.length && literals.length > 0) {
    const loopback = literals.every((address) => kindOf(address) === 'loopback');
    return [...new Set([...literals, ...(loopback ? ['127.0.0.1', '::1'] : [])])];
  }
  const own = ([4, 6] as const).flatMap((family) =>
    usableAddresses(host, family)
      .slice(0, OWN_TRIED)
      .map((address) => address.address),
  );
  return [...new Set(['127.0.0.1', '::1', ...literals, ...own])];
}

/** Sockets in state LISTEN on a port, with their owners where /proc shows them. Undefined where the tables cannot be read. */
export async function readRows(port: number, proc = '/proc'): Promise<ListenRow[] | undefined> {
  const table = await readTables(proc);
  if (table === undefined) return undefined;
  const rows = table.filter((row) => row.state === LISTEN && row.localPort === port);
  if (rows.length === 0) return [];
  const owners = await ownersOf(new Set(rows.map((row) => String(row.inode))), proc);
  return rows.map((row) => ({
    family: row.family,
    address: row.localAddress,
    port,
    inode: String(row.inode),
    owner: owners.get(String(row.inode)) ?? null,
  }));
}

/** Every socket of TCP; undefined where the kernel has no such tables. */
export async function readTables(proc = '/proc'): Promise<TcpRow[] | undefined> {
  const tables = await Promise.all(
    ['net/tcp', 'net/tcp6'].map((path) => readFile(join(proc, path), 'utf8').catch(() => undefined)),
  );
  // A kernel without IPv6 has no tcp6; one without tcp is not Linux.
  if (tables[0] === undefined) return undefined;
  return tables.flatMap((text) => parseTcpTable(text ?? ''));
}

async function ownersOf(inodes: ReadonlySet<string>, proc: string): Promise<Map<string, string>> {
  const owners = new Map<string, string>();
  const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name)).slice(0, PROCESSES);
  await Promise.all(
    pids.map(async (pid) => {
      const fds = await readdir(join(proc, pid, 'fd')).catch(() => []);
      for (const fd of fds) {
        const link = await readlink(join(proc, pid, 'fd', fd)).catch(() => '');
        const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
        if (inode === undefined || !inodes.has(inode) || owners.has(inode)) continue;
        const [comm, cmdline] = await Promise.all([
          readFile(join(proc, pid, 'comm'), 'utf8').catch(() => 'a process'),
          readFile(join(proc, pid, 'cmdline'), 'utf8').catch(() => ''),
        ]);
        owners.set(inode, `${programName(comm.trim(), cmdline)} (pid ${pid})`);
      }
    }),
  );
  return owners;
}
