import { execFile, execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { buildProgram } from '../../rigs/built.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import type { LabCase } from '../cases/case.ts';
import type { Program } from './recipe.ts';
import type { Stagehands } from './stage.ts';

/** Programs that cases are made with, and the Debian packages that bring them. */
const PACKAGES: Record<Program | 'ip', string> = {
  ip: 'iproute2',
  nft: 'nftables',
  tayga: 'tayga',
  tinyproxy: 'tinyproxy-bin',
  microsocks: 'microsocks',
  git: 'git',
  ping: 'iputils-ping',
  mtr: 'mtr-tiny',
};
const INSTALL_MS = 280_000;

export type LabHands = Stagehands & AsyncDisposable & { readonly bin: string };

/** Builds the program as it is published, and installs what the cases need where that is allowed. */
export async function stagehands(cases: readonly LabCase[]): Promise<LabHands> {
  const wanted = new Set(['ip' as const, ...cases.flatMap(programsOf)]);
  const missing = [...wanted].filter((program) => !isHere(program)).map((program) => PACKAGES[program]);
  if (missing.length > 0 && process.getuid?.() === 0) {
    const words = [
      'install',
      '-q',
      '-y',
      '--no-install-recommends',
      '-o',
      'DPkg::Lock::Timeout=240',
      ...missing,
    ];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', words, { stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_MS, env });
  }
  const given = process.env['BBX_BIN'];
  const built = given === undefined ? buildProgram() : undefined;
  const bin = given ?? built?.bin ?? '';
  const dir = await tempDir();
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
