import { execa } from 'execa';

/** Another machine as ssh names it; what is undefined is decided by ssh's own configuration. */
export interface SshPlace {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
}

export interface RanThere {
  /** null: it could not be started, or did not end in time. ssh's own trouble is 255. */
  readonly exit: number | null;
  readonly stdout: string;
  /** The last lines of complaint. */
  readonly complaint: string;
}

const OUTPUT_LIMIT = 256 * 1024;
const COMPLAINT_LINES = 3;

/**
 * Runs a shell program on another machine through the system's ssh with its keys, known hosts and configuration. It never asks anything, and
 * nothing is left there. Never rejects but for the signal.
 */
export async function runOverSsh(
  place: SshPlace,
  script: string,
  options: { env: Readonly<Record<string, string | undefined>>; timeoutMs: number; signal: AbortSignal },
): Promise<RanThere> {
  const { env, timeoutMs, signal } = options;
  // As BBX_SSH_COMMAND of a hop: another ssh, or options for it.
  const command = env['BBX_SSH_COMMAND']?.trim() || 'ssh';
  const seconds = String(Math.max(1, Math.floor(timeoutMs / 2_000)));
  const words = [
    ...['-T', '-a', '-x', '-o', 'BatchMode=yes', '-o', 'ControlPath=none', '-o', `ConnectTimeout=${seconds}`],
    ...(place.port === undefined ? [] : ['-p', String(place.port)]),
    ...(place.user === undefined ? [] : ['-l', place.user]),
    ...['--', place.host, 'sh -s'],
  ];
  const { stdout, stderr, exitCode, timedOut } = await execa(
    '/bin/sh',
    ['-c', `exec ${command} "$@"`, 'ssh', ...words],
    {
      input: script,
      env: { LC_ALL: 'C', SSH_ASKPASS_REQUIRE: 'never' },
      timeout: timeoutMs,
      forceKillAfterDelay: 500,
      maxBuffer: OUTPUT_LIMIT,
      cancelSignal: signal,
      reject: false,
    },
  );
  signal.throwIfAborted();
  const lines = stderr
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^@+|^Warning: Permanently added/.test(line));
  return {
    exit: timedOut ? null : (exitCode ?? null),
    stdout,
    complaint: timedOut
      ? `no answer within ${timeoutMs / 1_000} s`
      : lines.slice(-COMPLAINT_LINES).join('; '),
  };
}
