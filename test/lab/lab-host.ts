import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { skipAloud } from '../rigs/skip-aloud.ts';

const UNSHARE = ['-Urnm', '--map-root-user'];
const LIMIT_MS = 20_000;

/** A host of its own: network, hosts file and nameservers, its processes and files are this machine's. Gone with its block. */
export interface LabHost extends AsyncDisposable {
  /** Words before a command that make it run there, in a directory. */
  readonly within: (cwd: string) => readonly string[];
  /** Process that holds the namespaces, for those who want to enter or to be given a link. */
  readonly pid: number;
  /** Runs lines of shell there, as root; gives their output. */
  sh(...lines: string[]): Promise<string>;
  /** Starts a long-living program there; it is ended with the host. */
  start(...words: string[]): ChildProcess;
}

/** The setup lines of a host with an address of each family, `v0`, whose other end is the same host's `v1`. */
export const DUAL = [
  'ip link add v0 type veth peer name v1',
  'ip link set v1 up; ip link set v0 up',
  'ip addr add 11.0.0.2/24 dev v0',
  'ip -6 addr add 2a00:1::2/64 dev v0 nodad',
  'ip route add default via 11.0.0.1',
  'ip -6 route add default via 2a00:1::1 dev v0',
];

/** No IPv4 at all, not even 127.0.0.1. */
export const IPV6_ALONE = ['ip addr del 127.0.0.1/8 dev lo'];
export const IPV4_ALONE = ['for one in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > "$one"; done'];

/**
 * Whether this host lets its users make such hosts; says aloud what is skipped where it does not. In CI that is a failure: `what` is the
 * name of the tests.
 */
export function labHostsAllowed(what: string): boolean {
  try {
    const link =
      'ip link set lo up && ip link add v0 type veth peer name v1 && mount --bind /etc/hosts /etc/hosts';
    execFileSync('unshare', [...UNSHARE, 'sh', '-c', link], { stdio: 'ignore', timeout: 10_000 });
    execFileSync('nsenter', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (cause) {
    return !skipAloud(what, 'this host lets nobody make network namespaces', cause);
  }
}

export interface LabHostOptions {
  /** Lines of shell, as root of the host; `lo` is up. */
  setup?: readonly string[];
  /** Lines of its hosts file beside those of localhost. */
  hosts?: string;
  /** Another host that may give it a link. */
  beside?: LabHost;
}

/** Makes a host. */
export async function labHost(options: LabHostOptions = {}): Promise<LabHost> {
  const dir = await mkdtemp(join(tmpdir(), 'bbx-lab-'));
  await writeFile(join(dir, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
  await writeFile(join(dir, 'hosts'), `127.0.0.1 localhost\n::1 localhost\n${options.hosts ?? ''}\n`);
  const lines = [
    'set -e',
    'ip link set lo up',
    `mount --bind ${dir}/resolv.conf "$(readlink -f /etc/resolv.conf)"`,
    `mount --bind ${dir}/hosts /etc/hosts`,
    ...(options.setup ?? []),
    'echo ready',
    // Ends with the pipe, so also when this process is killed.
    'exec cat',
  ];
  // Links are given between networks of one owner only, so the second host shares the first one's users.
  const [program = '', ...words] =
    options.beside === undefined
      ? ['unshare', ...UNSHARE]
      : [
          'nsenter',
          '--target',
          String(options.beside.pid),
          '--user',
          '--preserve-credentials',
          'unshare',
          '-nm',
        ];
  const holder = spawn(program, [...words, 'sh', '-c', lines.join('\n')], { stdio: 'pipe' });
  const started = new Set<ChildProcess>();
  const host: LabHost = {
    pid: holder.pid ?? 0,
    // The directory would be lost on the way into another mount namespace.
    within: (cwd) => [
      ...['nsenter', '--target', String(holder.pid), '--user', '--net', '--mount', '--preserve-credentials'],
      `--wdns=${cwd}`,
    ],
    async sh(...script) {
      const [program = '', ...words] = [...host.within(dir), 'sh', '-ec', script.join('\n')];
      const { stdout } = await promisify(execFile)(program, words, { timeout: LIMIT_MS });
      return stdout;
    },
    start(...words) {
      const [program = '', ...rest] = [...host.within(dir), ...words];
      const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
      started.add(child);
      return child;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...started].map(endOf));
      holder.stdin.end();
      await endOf(holder);
      await rm(dir, { recursive: true, force: true });
    },
  };
  try {
    await firstLine(holder);
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}

/** The first line that a program prints. Fails with what it said when it ends before. */
export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    let errors = '';
    const fail = () => reject(new Error(`it said nothing: ${text}${errors}`));
    const timer = setTimeout(fail, LIMIT_MS);
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf('\n');
      if (end < 0) return;
      clearTimeout(timer);
      resolve(text.slice(0, end));
    });
    child.once('close', () => {
      clearTimeout(timer);
      fail();
    });
  });
}
