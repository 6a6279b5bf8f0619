import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sentences } from '../../src/base/error.ts';
import { findPostgres } from '../../src/exec/postgres-server.ts';
import { skipAloud } from './skip-aloud.ts';

/** Programs that tests run for real, and the Debian packages that bring them. */
const PACKAGES = {
  git: 'git',
  ip: 'iproute2',
  strace: 'strace',
  curl: 'curl',
  unshare: 'util-linux',
  nft: 'nftables',
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  microsocks: 'microsocks',
  tinyproxy: 'tinyproxy-bin',
  'ansible-playbook': 'ansible-core',
  postgres: 'postgresql',
  buildbot: 'buildbot',
  'buildbot-worker': 'buildbot-worker',
} as const;
/** Some 60 MB and their unpacking. */
const INSTALL_MS = 280_000;
const LOCK_S = 240;

export type Tool = keyof typeof PACKAGES;

/** Whether a program is there now. Tests that need one say so: `describe.skipIf(!has('ip'))`. */
export function has(tool: Tool): boolean {
  // Debian keeps a server's own programs out of everybody's path.
  if (tool === 'postgres') return findPostgres() !== undefined;
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Vitest's global set-up: installs what is missing where that is allowed (root with apt-get), elsewhere names what will be skipped. In CI
 * a missing program is a failure, so that nothing is skipped unseen.
 */
export default function installMissing(): void {
  const missing = (Object.keys(PACKAGES) as Tool[]).filter((tool) => !has(tool));
  if (missing.length === 0) return;
  const packages = missing.map((tool) => PACKAGES[tool]);
  let why = '';
  if (process.getuid?.() === 0) {
    try {
      install(packages);
    } catch (error) {
      // What matters is whether the programs are there now; this is for who must find out why not.
      why = `\n${sentences(error).join('\n')}`;
    }
  }
  const skipped = missing.filter((tool) => !has(tool));
  if (skipped.length === 0) return;
  const packagesLeft = skipped.map((tool) => PACKAGES[tool]).join(' ');
  skipAloud('some tests', `missing: ${skipped.join(', ')} (Debian: ${packagesLeft})${why}`);
}

/** One run of apt-get for all; another one that is under way, as of another run of tests, is waited for. */
function install(packages: readonly string[]): void {
  const options = {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: INSTALL_MS,
  } satisfies ExecFileSyncOptions;
  const words = ['-q', '-y', '--no-install-recommends', '-o', `DPkg::Lock::Timeout=${LOCK_S}`];
  try {
    execFileSync('apt-get', ['update', '-q'], options);
  } catch {
    // Without the newest lists it may still go, as when another apt-get has them locked.
  }
  execFileSync('apt-get', ['install', ...words, ...packages], options);
}

// As a program, so that the fetching can begin before the tests do.
if (process.argv[1] === fileURLToPath(import.meta.url)) installMissing();
