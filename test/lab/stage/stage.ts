import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shiftedClock } from '../../../src/drill/shifted-clock.ts';
import { newAuthority } from './certificates.ts';
import { addressesOfRouter, linesOf, nameserversFor, networkOf } from './plans.ts';
import type { HostName, Nameserver, Recipe } from './recipe.ts';
import type { Servers } from './servers.ts';
import { managerLines, removeCgroups, unitFiles } from './systemd.ts';

const STAGE_FILES = fileURLToPath(new URL('.', import.meta.url));
const SERVERS = join(STAGE_FILES, 'servers.ts');
const UNSHARE = ['-Urnm', '--map-root-user', '--pid', '--fork', '--kill-child', '--mount-proc'];
const HOSTS: readonly HostName[] = ['R', 'M', 'W'];
/** The doctor's own limit is 15 s; who needs this much longer is ended, and the case is missed. */
const CALL_LIMIT_S = 30;
const STAGE_LIMIT_MS = 60_000;

/** A program that is run on W of a finished stage. */
export interface Call {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly limitS?: number;
}
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

/** What all cases of one run share. */
export interface Stagehands {
  /** The program that is run: `bin/bbx`, or as it is published. */
  readonly bin: string;
  /** Two directories of masters as `create-master` makes them; copied for each case that has one. */
  readonly masterDirs: readonly [string, string];
}

/** Whether this machine lets its users make such stages; the reason where it does not. */
export function whyNoStage(): string | undefined {
  try {
    const lines = 'mount -t tmpfs tmpfs /run && mkdir /run/netns && ip netns add W && ip netns exec W true';
    execFileSync('unshare', [...UNSHARE, 'sh', '-c', lines], { stdio: 'pipe', timeout: 10_000 });
    return undefined;
  } catch (error) {
    return `this host lets nobody make network namespaces (${(error as Error).message.split('\n').at(-1)})`;
  }
}

/** Makes three hosts as the recipe says, and runs the calls on W, one after another; nothing outside is touched, and all is gone afterwards. */
export async function onStage(recipe: Recipe, calls: readonly Call[], hands: Stagehands): Promise<Ran[]> {
  const dir = await mkdtemp(join(tmpdir(), 'bbx-stage-'));
  try {
    await writeProperties(dir, recipe, hands);
    const script = scriptOf(dir, recipe, calls, hands);
    const child = spawn('unshare', [...UNSHARE, 'bash', '-c', script], {
      env: {
        PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
        HOME: join(dir, 'home'),
        LANG: 'C.UTF-8',
        STAGE: dir,
        NODE: process.execPath,
        LAB: STAGE_FILES,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const limitMs = STAGE_LIMIT_MS + calls.reduce((sum, { limitS = CALL_LIMIT_S }) => sum + limitS * 1000, 0);
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    if (code !== 0) throw new Error(`the stage could not be made (exit ${code}): ${output}`);
    return await Promise.all(calls.map((_call, index) => readCall(dir, index)));
  } finally {
    await rm(dir, { recursive: true, force: true });
    if (recipe.units !== undefined) await removeCgroups(basename(dir));
  }
}

async function readCall(dir: string, index: number): Promise<Ran> {
  const [stdout, stderr, meta] = await Promise.all(
    ['out', 'err', 'meta'].map((kind) => readFile(join(dir, `${index}.${kind}`), 'utf8')),
  );
  const [code, ms] = (meta ?? '').trim().split(' ').map(Number);
  return { code: code ?? -1, stdout: stdout ?? '', stderr: stderr ?? '', ms: ms ?? 0 };
}

/** All files that the stage needs. */
async function writeProperties(dir: string, recipe: Recipe, hands: Stagehands): Promise<void> {
  const plan = recipe.plan ?? 'dual';
  const network = networkOf(plan, recipe.names);
  const authority = newAuthority();
  await Promise.all(['home', 'here', 'etc'].map((name) => mkdir(join(dir, name))));
  await writeFile(join(dir, 'authority.pem'), authority.pem + authority.key);
  await writeFile(join(dir, 'here/ca.pem'), authority.pem);
  const resolv = nameserversFor(plan).map((address) => `nameserver ${address}\n`);
  const etc: Record<string, string> = {
    ...{ 'resolv.conf': resolv.join(''), 'gai.conf': '', 'nsswitch.conf': 'hosts: files dns\n' },
    ...recipe.etc,
    hosts: `127.0.0.1 localhost\n::1 localhost\n${recipe.etc?.hosts ?? ''}\n`,
  };
  for (const [name, text] of Object.entries(etc)) await writeFile(join(dir, 'etc', name), text);
  const here = Object.entries(recipe.files ?? {}).map(([name, text]) => [`here/${name}`, text] as const);
  const units = recipe.units === undefined ? [] : Object.entries(unitFiles(recipe.units));
  for (const [name, text] of [...here, ...units]) {
    const path = join(dir, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text.replaceAll('$STAGE', dir), { mode: 0o600 });
  }
  const withAddress = (given: Nameserver) => ({ at: addressesOfRouter(network), ...given });
  const nameservers = (recipe.nameservers ?? network.nameservers).map(withAddress);
  for (const host of HOSTS) {
    const servers: Servers = {
      nameservers: host === 'R' ? nameservers : [],
      listeners: recipe.listeners?.[host] ?? [],
      caFile: join(dir, 'authority.pem'),
    };
    await writeFile(join(dir, `${host}.json`), JSON.stringify(servers));
  }
  for (const { name, listen, from, reach, web } of mastersOf(recipe, hands)) {
    await cp(from, join(dir, name), { recursive: true });
    const text = `listen: { workers: "${listen}", web: "${web ?? 'localhost:0'}" }\nstore: sqlite:state.sqlite\n`;
    const told = reach === undefined ? '' : `reach: ["${reach}"]\n`;
    await writeFile(join(dir, name, 'master.yaml'), text + told);
  }
  await writeFile(join(dir, 'clock'), String(recipe.master?.clockOff ?? 0));
}

function mastersOf({ master, secondMaster }: Recipe, hands: Stagehands) {
  const [first, second] = hands.masterDirs;
  return [
    ...(master === undefined
      ? []
      : [
          {
            name: 'master',
            host: master.on ?? 'M',
            from: first,
            reach: undefined,
            web: undefined,
            ...master,
          },
        ]),
    ...(secondMaster === undefined
      ? []
      : [{ name: 'second', host: 'R', from: second, reach: undefined, web: undefined, ...secondMaster }]),
  ];
}

function scriptOf(dir: string, recipe: Recipe, calls: readonly Call[], hands: Stagehands): string {
  const plan = recipe.plan ?? 'dual';
  const network = networkOf(plan);
  const node = quote(process.execPath);
  const on = (host: HostName, lines: readonly string[] = []) =>
    lines.length === 0 ? [] : [`ip netns exec ${host} bash -c ${quote(['set -e', ...lines].join('\n'))}`];
  const busy = HOSTS.filter((host) => host === 'R' || (recipe.listeners?.[host] ?? []).length > 0);
  return [
    'set -e',
    // Where resolv.conf is a link into /run, its target must be there to be covered.
    'resolv=$(readlink -f /etc/resolv.conf || echo /etc/resolv.conf)',
    'mount -t tmpfs tmpfs /run; mkdir -p /run/netns "$(dirname "$resolv")"; [ -e "$resolv" ] || : > "$resolv"',
    'mount --bind "$STAGE/etc/resolv.conf" "$resolv"',
    // A file that this machine does not have cannot be covered; without it the system does as an empty one says.
    'for f in hosts gai.conf nsswitch.conf; do [ ! -e /etc/$f ] || mount --bind "$STAGE/etc/$f" /etc/$f; done',
    ...linesOf(plan),
    ...HOSTS.flatMap((host) => on(host, network.lines[host])),
    ...HOSTS.flatMap((host) => on(host, recipe.setup?.[host])),
    ...busy.map(
      (host) =>
        `ip netns exec ${host} ${node} ${quote(SERVERS)} "$STAGE/${host}.json" > "$STAGE/${host}.ready" 2> "$STAGE/${host}.err" &`,
    ),
    ...masterLines(dir, recipe, hands),
    `ready() { for i in $(seq 400); do grep -q "$2" "$1" 2> /dev/null && return; sleep 0.05; done; cat "$STAGE"/*.err >&2; return 1; }`,
    ...busy.map((host) => `ready "$STAGE/${host}.ready" ready`),
    ...mastersOf(recipe, hands).map(({ name }) => `ready "$STAGE/${name}.out" "Workers connect to"`),
    ...(recipe.units === undefined ? [] : managerLines()),
    ...HOSTS.flatMap((host) => on(host, recipe.after?.[host])),
    'cd "$STAGE/here"; set +e',
    ...calls.flatMap((call, index) => callLines(call, index, recipe)),
    'exit 0',
  ].join('\n');
}

function masterLines(dir: string, recipe: Recipe, hands: Stagehands): string[] {
  const clock: Record<string, string> =
    recipe.master?.clockOff === undefined ? {} : shiftedClock(join(dir, 'clock')).env;
  const env = Object.entries(clock).map(([name, value]) => `${name}=${quote(value)}`);
  return mastersOf(recipe, hands).map(({ name, host }) => {
    const words = [...env, quote(process.execPath), quote(hands.bin), 'run', 'master', `"$STAGE/${name}"`];
    return `ip netns exec ${host} env ${words.join(' ')} > "$STAGE/${name}.out" 2>&1 &`;
  });
}

function callLines(call: Call, index: number, recipe: Recipe): string[] {
  const env = Object.entries({ ...recipe.env, ...call.env }).map(([name, value]) => `${name}=${value}`);
  const words = ['ip', 'netns', 'exec', 'W', 'env', ...env, ...(recipe.under ?? [])];
  const limit = ['timeout', '-k', '1', String(call.limitS ?? CALL_LIMIT_S)];
  const line = [...limit, ...words, ...call.words].map(quote).join(' ');
  return [
    `from=$EPOCHREALTIME; ${line} > "$STAGE/${index}.out" 2> "$STAGE/${index}.err"; code=$?; to=$EPOCHREALTIME`,
    `echo "$code $(( (\${to/./} - \${from/./}) / 1000 ))" > "$STAGE/${index}.meta"`,
  ];
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
