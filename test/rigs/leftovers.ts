import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { endProcesses } from '../../src/exec/end-processes.ts';
import { MARKER_VARIABLE, markerValue } from '../../src/exec/marker.ts';
import { findProcesses } from '../../src/exec/processes.ts';

/** From TERM to KILL for what a run of tests has left. */
const SIGTERM_MS = 3_000;

let tied = false;

/**
 * Ties all that this process starts from now on, however deep, to its life: when it ends, killed or in order, whatever still runs then is
 * ended. Its programs carry a marker, as those of a build do, and a shell waits for the end of this process at the other end of a pipe.
 */
export function tieProcesses(): void {
  if (tied) return;
  tied = true;
  const marker = `tests-${process.pid}-${randomBytes(4).toString('hex')}`;
  const words = ['-c', 'cat > /dev/null; exec "$0" "$@"', process.execPath, '--no-warnings'];
  // In a session of its own: a Ctrl-C is not for it. Without any marker, since neither it nor the watcher of a run around this one is to find it.
  const watcher = spawn('/bin/sh', [...words, fileURLToPath(import.meta.url), marker], {
    cwd: '/',
    env: { ...process.env, [MARKER_VARIABLE]: undefined },
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  process.env[MARKER_VARIABLE] = markerValue(marker, process.env[MARKER_VARIABLE]);
}

/** Vitest's global set-up, before all others: a run that is killed leaves nothing running, nor does one that forgot something. */
export default function tieTheRun(): void {
  tieProcesses();
}

/** Tests run programs as other users, too. */
function everybody(): number[] {
  const uids = new Set<number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      uids.add(statSync(`/proc/${name}`).uid);
    } catch {
      // It ended meanwhile.
    }
  }
  return [...uids];
}

/** What a process was called with, so that it is known whose it is. */
function commandOf(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ');
    return `${pid} ${words.replaceAll(/\s+/g, ' ').slice(0, 200)}`;
  } catch {
    return `${pid} (over by now)`;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , marker = ''] = process.argv;
  const left = { marker, uids: everybody() };
  const names = findProcesses(left).map(commandOf);
  const { found, alive } = await endProcesses({ ...left, sigtermTimeMs: SIGTERM_MS });
  if (found > 0)
    process.stderr.write(`ended ${found} processes that the tests had left: ${names.join('; ')}\n`);
  if (alive.length > 0) process.stderr.write(`cannot end ${alive.join(', ')}\n`);
}
