import { execFile, execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { buildProgram } from '../../rigs/built.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import type { LabCase } from '../cases/case.ts';
import type { Program } from './recipe.ts';
import type { Stagehands } from './stage.ts';
import { mayDivide } from './systemd.ts';

/** Programs that cases are made with, and the Debian packages that bring them. */
const PACKAGES: Record<Program | 'ip', string> = {
  ip: 'iproute2',
  nft: 'nftables',
  tayga: 'tayga',
  tinyproxy: 'tinyproxy-bin',
  microsocks: 'microsocks',
  git: 'git',
  buildbot: 'buildbot',
  sshd: 'openssh-server',
  ping: 'iputils-ping',
  mtr: 'mtr-tiny',
  systemctl: 'systemd',
  chronyd: 'chrony',
};
/** Packages that are not installed but unpacked: they would take the machine's own program of their kind away. */
const UNPACKED = new Set(['chrony']);
const INSTALL_MS = 280_000;

export type LabHands = Stagehands & AsyncDisposable & { readonly bin: string };

/** Builds the program as it is published, and installs what the cases need where that is allowed. */
export async function stagehands(cases: readonly LabCase[]): Promise<LabHands> {
  const wanted = new Set(['ip' as const, ...cases.flatMap(programsOf)]);
  const missing = [...wanted].filter((program) => !isHere(program)).map((program) => PACKAGES[program]);
  const dir = await tempDir();
  const unpacked = missing.filter((name) => UNPACKED.has(name));
  for (const name of unpacked) await unpack(name, join(dir.path, 'packages'));
  const installed = missing.filter((name) => !UNPACKED.has(name));
  if (installed.length > 0 && process.getuid?.() === 0) {
    const words = [
      'install',
      '-q',
      '-y',
      '--no-install-recommends',
      '-o',
      'DPkg::Lock::Timeout=240',
      ...installed,
    ];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', words, { stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_MS, env });
  }
  const given = process.env['BBX_BIN'];
  const built = given === undefined ? buildProgram() : undefined;
  const bin = given ?? built?.bin ?? '';
  const masterDirs = [join(dir.path, 'first'), join(dir.path, 'second')] as const;
  for (const one of masterDirs)
    await promisify(execFile)(process.execPath, [bin, 'create-master', one, '--name', 'lab', '--no-input']);
  return {
    bin,
    masterDirs,
    async [Symbol.asyncDispose]() {
      built?.[Symbol.dispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Brings a Debian package's programs without installing it; where that cannot be, its cases are skipped by name. */
async function unpack(name: string, into: string): Promise<void> {
  await mkdir(into, { recursive: true });
  try {
    const run = promisify(execFile);
    await run('apt-get', ['download', '-q', name], { cwd: into, timeout: INSTALL_MS });
    const files = (await readdir(into)).filter((file) => file.startsWith(`${name}_`));
    for (const file of files) await run('dpkg', ['-x', file, '.'], { cwd: into });
    process.env['PATH'] = [process.env['PATH'], join(into, 'usr/sbin'), join(into, 'usr/bin')].join(
      delimiter,
    );
  } catch (error) {
    process.stderr.write(`${name} cannot be had: ${(error as Error).message.split('\n')[0]}\n`);
  }
}

/** What a case needs of this machine. */
export function programsOf({ recipe }: LabCase): Program[] {
  const byPlan: Partial<Record<string, readonly Program[]>> = {
    nat64: ['tayga'],
    'connect-proxy': ['nft', 'tinyproxy'],
    container: ['nft'],
  };
  return [...(recipe.programs ?? []), ...(byPlan[recipe.plan ?? 'dual'] ?? [])];
}

/** What is missing for it; empty: it can be made. */
export function wantOf(one: LabCase): string[] {
  const missing: string[] = programsOf(one).filter((program) => !isHere(program));
  if (one.recipe.plan === 'nat64' && !mayOpen('/dev/net/tun')) missing.push('/dev/net/tun');
  if (one.recipe.units !== undefined && !mayDivide())
    missing.push('a cgroup that this user may divide (root alone, mostly)');
  return missing;
}

function isHere(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => mayOpen(join(folder, program), constants.X_OK));
}

function mayOpen(path: string, mode = constants.R_OK | constants.W_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
