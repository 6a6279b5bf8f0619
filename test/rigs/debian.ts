import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findPostgres } from '../../src/exec/postgres-server.ts';

/** Programs that tests run for real, and the Debian packages that bring them. */
const PACKAGES = {
  git: 'git',
  ip: 'iproute2',
  strace: 'strace',
  unshare: 'util-linux',
  nft: 'nftables',
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  'ansible-playbook': 'ansible-core',
  postgres: 'postgresql',
} as const;
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
  if (process.getuid?.() === 0) {
    try {
      const options = {
        stdio: 'ignore',
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        timeout: 280_000,
      } as const;
      execFileSync('apt-get', ['update', '-q'], options);
      execFileSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], options);
    } catch {
      // What matters is whether the programs are there now.
    }
  }
  const skipped = missing.filter((tool) => !has(tool));
  if (skipped.length === 0) return;
  const words = `missing: ${skipped.join(', ')} (Debian: ${skipped.map((tool) => PACKAGES[tool]).join(' ')})`;
  if (process.env['CI'] === 'true') throw new Error(`${words}; in CI nothing may be skipped`);
  process.stderr.write(`Some tests are SKIPPED, ${words}\n`);
}
