import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { Identity } from './identity.ts';
import { MARKER_VARIABLE } from './marker.ts';

/**
 * What the launcher does, still as root: takes on all groups of the user, then its group and user, and becomes the command. The command's
 * environment comes over a pipe, since in the launcher's own a NODE_OPTIONS of a plan would be obeyed with root's rights. Node
 * ignores two signals, and what is ignored stays so in the command; what has a handler is the system's default again after exec.
 */
const LAUNCHER = `
const fs = require('node:fs');
const to = JSON.parse(fs.readFileSync(3, 'utf8'));
fs.closeSync(3);
for (const ignored of ['SIGPIPE', 'SIGXFSZ']) process.on(ignored, () => {});
process.setgroups(to.groups);
process.setgid(to.gid);
process.setuid(to.uid);
process.execve(to.file, to.words, to.env);
`;

/**
 * Spawns a command as a user with all its groups. Node's own `uid` and `gid` drop every group but the primary one, with which a build
 * could not reach `docker` or `kvm`; this way costs a start of Node. Throws ENOENT or EACCES like `spawn` for a program that cannot run.
 */
export function spawnWithGroups(
  command: readonly string[],
  options: {
    cwd: string;
    env: Readonly<Record<string, string>>;
    identity: Identity;
    stdio: StdioOptions & unknown[];
  },
): ChildProcess {
  const { cwd, env, identity } = options;
  const file = findProgram(command[0] ?? '', env['PATH'] ?? '', cwd);
  const child = spawn(process.execPath, ['--no-warnings', '-e', LAUNCHER], {
    cwd,
    env: { [MARKER_VARIABLE]: env[MARKER_VARIABLE] },
    stdio: [...options.stdio, 'pipe'] as StdioOptions,
    detached: true,
  });
  const pipe = child.stdio[3] as Writable;
  // The launcher may be ended before it has read.
  pipe.on('error', () => undefined);
  pipe.end(
    JSON.stringify({
      file,
      words: command,
      env,
      uid: identity.uid,
      gid: identity.gid,
      groups: identity.groups,
    }),
  );
  return child;
}

function findProgram(name: string, searchPath: string, cwd: string): string {
  const places = name.includes('/')
    ? [resolve(cwd, name)]
    : searchPath.split(':').map((place) => resolve(cwd, place, name));
  const found = places.find(isProgram);
  if (found !== undefined) return found;
  throw Object.assign(new Error(`spawn ${name} ENOENT`), { code: 'ENOENT' });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
