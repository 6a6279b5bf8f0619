import { execFile } from 'node:child_process';
import { errnoOf } from '../base/error.ts';
import type { Log } from '../base/log.ts';

/** Tells a service manager how the program is, by the datagrams of sd_notify(3). */
export interface Notifier {
  ready(status: string): Promise<void>;
  reloading(): Promise<void>;
  stopping(): Promise<void>;
}

/** The helpers are done in some milliseconds; a manager that hangs must not hold the program up. */
const HELPER_TIMEOUT_MS = 5_000;

/**
 * Node has no datagram sockets of the unix family, so a helper sends: `systemd-notify`, which stays until systemd has seen the message
 * (`NotifyAccess=all` in the unit, as it is a child), else perl, which every Debian has. Does nothing where `NOTIFY_SOCKET` is not set.
 */
export function createNotifier(options: {
  env: Readonly<Record<string, string | undefined>>;
  log: Log;
  pid?: number;
}): Notifier {
  const { env, log, pid = process.pid } = options;
  const socket = env['NOTIFY_SOCKET'];
  const send = async (lines: readonly string[]) => {
    if (socket === undefined || socket === '') return;
    for (const [program, args] of helpers(lines, pid)) {
      const failed = await run(program, args, { PATH: env['PATH'], NOTIFY_SOCKET: socket });
      if (failed === undefined) return;
      log.debug('could not notify the service manager', { program, error: failed });
    }
    log.warn(
      'the service manager was not told: neither systemd-notify nor perl could send to NOTIFY_SOCKET',
      {
        socket,
      },
    );
  };
  return {
    ready: (status) => send(['READY=1', `STATUS=${status.replaceAll(/\s+/g, ' ')}`]),
    reloading: () =>
      send(['RELOADING=1', `MONOTONIC_USEC=${Math.round(Number(process.hrtime.bigint() / 1000n))}`]),
    stopping: () => send(['STOPPING=1']),
  };
}

const PERL_SENDER =
  'socket(S, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!"; my $path = $ENV{NOTIFY_SOCKET}; $path =~ s/^@/\\0/; ' +
  'defined(send(S, $ARGV[0], 0, sockaddr_un($path))) or die "send: $!";';

function helpers(lines: readonly string[], pid: number): [string, string[]][] {
  return [
    ['systemd-notify', [`--pid=${pid}`, ...lines]],
    ['perl', ['-MSocket', '-e', PERL_SENDER, [`MAINPID=${pid}`, ...lines].join('\n')]],
  ];
}

/** Undefined when it went well, else why not. */
function run(
  program: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: HELPER_TIMEOUT_MS }, (error, _, stderr) => {
      if (error === null) resolve(undefined);
      else resolve(errnoOf(error) === 'ENOENT' ? 'not installed' : stderr.trim() || error.message);
    });
  });
}
