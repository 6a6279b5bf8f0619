import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readdirSync } from 'node:fs';
import { appendFile, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { sleep } from '../base/abort.ts';
import { MARKER_VARIABLE } from './marker.ts';

/** A PostgreSQL of one's own, for rehearsals: in a temporary directory, reached by a unix socket, gone at the end of its block. */
export interface PostgresServer extends AsyncDisposable {
  /** Holds the socket `.s.PGSQL.<port>`. */
  readonly dir: string;
  readonly port: number;
  /** Its superuser, who needs no password on the socket. */
  readonly user: string;
  /** The store's address of one of its databases: `postgres://bbx@%2Ftmp%2F…/name`. */
  url(database?: string): string;
  /** Starts it again after `stop`; resolves when it takes connections. */
  start(): Promise<void>;
  /**
   * `fast` breaks off what runs and ends in order; `immediate` is its crash: the next start recovers. `kill` is SIGKILL to its main process,
   * after which its children end by themselves.
   */
  stop(how?: 'fast' | 'immediate' | 'kill'): Promise<void>;
  /** From now on a commit waits until a standby has it, too; resolves when one follows so far. */
  waitForStandby(): Promise<void>;
  /** Makes a standby take writes, as a failover does. */
  promote(): Promise<void>;
  readonly running: boolean;
  /** What it has logged. */
  log(): Promise<string>;
}

export interface PostgresServerOptions {
  /** Settings as in postgresql.conf. */
  settings?: Readonly<Record<string, string | number>>;
  /** Part of the socket's name, and the port for TCP on the loopback addresses when `settings` has `listen_addresses`. */
  port?: number;
  /** Asked of whoever comes by TCP. */
  password?: string;
  /** It follows this one as its standby, with a copy of what that holds now. */
  standbyOf?: PostgresServer;
  /** Where another server was that has ended, instead of a new directory: what it left is removed. */
  inPlaceOf?: string;
}

/** The role that the cluster is made with. */
const USER = 'bbx';

/** How long a start may take: recovery after a crash included. */
const START_MS = 30_000;

/** Debian's numbers for `nobody`, who may run what root must not. */
const NOBODY = 65_534;

/**
 * Where PostgreSQL's own programs are: on the path, or where Debian and others put each version. Undefined when it is not installed.
 */
export function findPostgres(): string | undefined {
  const versions = ['/usr/lib/postgresql', '/usr/local/pgsql', '/opt/homebrew/opt'].flatMap((root) => {
    try {
      return readdirSync(root)
        .sort((a, b) => Number.parseFloat(b) - Number.parseFloat(a))
        .map((name) => join(root, name, 'bin'));
    } catch {
      return [];
    }
  });
  return [...versions, ...(process.env['PATH'] ?? '').split(delimiter)].find((folder) =>
    ['initdb', 'postgres'].every((program) => {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return true;
      } catch {
        return false;
      }
    }),
  );
}

/** Makes a cluster and starts it; root runs it as `nobody`, since PostgreSQL refuses to be root. Throws when it is not installed. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const bin = findPostgres();
  if (bin === undefined)
    throw new Error('PostgreSQL is not installed: neither initdb nor postgres was found');
  const { port = 5432 } = options;
  const dir = options.inPlaceOf ?? (await mkdtemp(join(tmpdir(), 'bbx-pg-')));
  const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if (as.uid !== undefined) await chown(dir, as.uid, as.gid);
  const data = join(dir, 'data');
  const logFile = join(dir, 'log');
  for (const left of [data, logFile]) await rm(left, { recursive: true, force: true });
  let server: ChildProcess | undefined;

  const run = (program: string, args: readonly string[]): ChildProcess => {
    const log = openSync(logFile, 'a');
    try {
      const marker = process.env[MARKER_VARIABLE];
      const env = {
        ...{ PATH: process.env['PATH'] ?? '', TZ: 'UTC' },
        // A build that starts one, or a run of tests, ends it with what else it left.
        ...(marker === undefined ? {} : { [MARKER_VARIABLE]: marker }),
      };
      return spawn(join(bin, program), args, { cwd: dir, env, stdio: ['ignore', log, log], ...as });
    } finally {
      closeSync(log);
    }
  };
  const ended = async (program: string, args: readonly string[]): Promise<void> => {
    const [code] = (await once(run(program, args), 'exit')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with ${code}:\n${await readLog()}`);
  };
  const readLog = () => readFile(logFile, 'utf8').catch(() => '');

  const postgres: PostgresServer = {
    dir,
    port,
    user: USER,
    url: (database = 'postgres') =>
      `postgres://${USER}@${encodeURIComponent(dir)}${port === 5432 ? '' : `:${port}`}/${database}`,
    get running() {
      return server !== undefined && server.exitCode === null && server.signalCode === null;
    },
    async start() {
      if (postgres.running) return;
      const settings = {
        unix_socket_directories: dir,
        listen_addresses: '',
        port,
        // Small: several may stand on one machine.
        shared_buffers: '16MB',
        ...options.settings,
      };
      const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const end = performance.now() + START_MS;
      server = run('postgres', ['-D', data, ...words]);
      while (!(await isReady(data, server.pid))) {
        if (!postgres.running) {
          const said = await readLog();
          // Children of a killed one end a moment after it.
          if (!/pre-existing shared memory block[^\n]*\n[^\n]*\n?$/.test(said))
            throw new Error(`PostgreSQL did not start:\n${said}`);
          server = run('postgres', ['-D', data, ...words]);
        }
        if (performance.now() > end)
          throw new Error(`PostgreSQL was not ready in ${START_MS} ms:\n${await readLog()}`);
        await sleep(20);
      }
    },
    async stop(how = 'fast') {
      if (server === undefined || !postgres.running) return;
      const gone = once(server, 'exit');
      server.kill(({ fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const)[how]);
      await gone;
    },
    async waitForStandby() {
      // Of this server alone: its standby has its own copy of the settings by now.
      await appendFile(join(data, 'postgresql.auto.conf'), "synchronous_standby_names = '*'\n");
      server?.kill('SIGHUP');
      const end = performance.now() + START_MS;
      while (!/is now a synchronous standby/.test(await readLog())) {
        if (performance.now() > end)
          throw new Error(`PostgreSQL had no standby in ${START_MS} ms:\n${await readLog()}`);
        await sleep(20);
      }
    },
    async promote() {
      await ended('pg_ctl', ['promote', '-w', '-D', data]);
    },
    log: readLog,
    async [Symbol.asyncDispose]() {
      await postgres.stop('immediate');
      await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };

  try {
    const pass = options.password;
    const passFile = join(dir, 'password');
    if (pass !== undefined) {
      await writeFile(passFile, `${pass}\n`, { mode: 0o600 });
      if (as.uid !== undefined) await chown(passFile, as.uid, as.gid);
    }
    const secret =
      pass === undefined ? ['--auth-host=reject'] : ['--auth-host=scram-sha-256', '--pwfile', passFile];
    const from = options.standbyOf;
    if (from === undefined) {
      await ended('initdb', [
        ...[
          '-D',
          data,
          '-U',
          USER,
          '-E',
          'UTF8',
          '--no-locale',
          '--auth-local=trust',
          '--no-sync',
          ...secret,
        ],
      ]);
    } else {
      const where = ['-h', from.dir, '-p', String(from.port), '-U', from.user];
      await ended('pg_basebackup', [
        '-D',
        data,
        ...where,
        '--write-recovery-conf',
        '--checkpoint=fast',
        '--no-sync',
      ]);
    }
    await postgres.start();
    return postgres;
  } catch (error) {
    await postgres[Symbol.asyncDispose]();
    throw error;
  }
}

/** What the server itself says in its pid file: line 1 is its process, line 8 its state. */
async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  try {
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
    return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
