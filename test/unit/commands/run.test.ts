import { EventEmitter, once } from 'node:events';
import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { silentLog, type Log } from '../../../src/base/log.ts';
import { createRunLog, sayWarnings } from '../../../src/commands/run-log.ts';
import { createNotifier } from '../../../src/commands/run-notify.ts';
import { takeSignals } from '../../../src/commands/run-signals.ts';
import { createContext, type Context } from '../../../src/commands/terminal/context.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const PERL = '/usr/bin/perl';

function recorder(): Log & { said: string[] } {
  const said: string[] = [];
  const at = (level: string) => (message: string) => said.push(`${level}: ${message}`);
  return { said, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

describe('the log for people', () => {
  const logged = async (verbose: boolean, write: (log: Log) => void, terminal: object = {}) => {
    const stderr = Object.assign(new PassThrough(), terminal);
    const context = { ...createContext([]), json: false, color: false, stderr } as unknown as Context;
    write(await createRunLog(context, { logFormat: 'text', verbose }));
    return String(stderr.read() ?? '').replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME');
  };

  it('has time, level, sentence and facts on one line, without control characters', async () => {
    const cause = new Error('disk full');
    const text = await logged(false, (log) => {
      log.info('bound', { address: '[::]:9989', count: 2, none: undefined });
      log.warn('two\n  lines \u001b[2J', { error: new Error('cannot store', { cause }), list: ['a'] });
      log.debug('not for you');
    });
    expect(text).toMatchInlineSnapshot(`
      "TIME info  bound address=[::]:9989 count=2
      TIME warn  two | lines \\x1b[2J error="cannot store: disk full" list=["a"]
      "
    `);
  });

  it('is broken between words at a terminal, and never in a command', async () => {
    const text = await logged(
      false,
      (log) => {
        log.warn(
          'PTH-04: Nothing listens on port 9989 of this host (connection refused), so nobody answers',
          {
            again: 'in 5 s',
          },
        );
        log.info(`  bbx doctor reach localhost:9989 ${'--via ssh:me@gate.example '.repeat(3).trim()}`);
      },
      { isTTY: true, columns: 80 },
    );
    expect(text.replaceAll(/^\d\d:\d\d:\d\d/gm, 'HH:MM:SS')).toMatchInlineSnapshot(`
      "HH:MM:SS warn  PTH-04: Nothing listens on port 9989 of this host (connection
                     refused), so nobody answers again="in 5 s"
      HH:MM:SS info    bbx doctor reach localhost:9989 --via ssh:me@gate.example --via ssh:me@gate.example --via ssh:me@gate.example
      "
    `);
  });

  it('loses no letter where it is broken, whatever spaces stand there', async () => {
    const text = await logged(
      false,
      (log) =>
        log.warn(`Builds go on, and this is the end of the tail${' '.repeat(5)}of git`, { name: 'linux-1' }),
      { isTTY: true, columns: 62 },
    );
    expect(text.replaceAll(/^\d\d:\d\d:\d\d/gm, 'HH:MM:SS')).toMatchInlineSnapshot(`
      "HH:MM:SS warn  Builds go on, and this is the end of the tail
                     of git name=linux-1
      "
    `);
  });

  it('never breaks a command in a sentence: half of it is another one', async () => {
    const text = await logged(
      false,
      (log) => {
        log.info(
          'Workers connect to 127.0.0.1:9989. Invite one: bbx worker add NAME --dir /srv/farm/the/master',
          { name: 'x' },
        );
        log.info('Look at it: bbx status --dir /srv/farm/the/master. Ctrl-C stops it; SIGHUP loads it again');
      },
      { isTTY: true, columns: 80 },
    );
    expect(text.replaceAll(/^\d\d:\d\d:\d\d/gm, 'HH:MM:SS')).toMatchInlineSnapshot(`
      "HH:MM:SS info  Workers connect to 127.0.0.1:9989. Invite one:
                     bbx worker add NAME --dir /srv/farm/the/master name=x
      HH:MM:SS info  Look at it: bbx status --dir /srv/farm/the/master. Ctrl-C stops
                     it; SIGHUP loads it again
      "
    `);
  });

  it('has details with --verbose', async () => {
    expect(await logged(true, (log) => log.debug('detail'))).toBe('TIME debug detail\n');
  });

  it('tells what is odd in a configuration, with its place and what to do', () => {
    const log = recorder();
    const problem = { severity: 'warning', file: 'm.yaml', line: 3, column: 1, path: 'x' } as const;
    sayWarnings(log, [{ ...problem, message: 'odd', fix: 'mend it', source: null, length: 1 }]);
    expect(log.said).toEqual(['warn: m.yaml:3: odd: mend it']);
  });
});

describe('signals', () => {
  it('stop at the first, stop builds at the second, reload one after the other at SIGHUP', async () => {
    const from = new EventEmitter();
    let reloads = 0;
    let now = 0;
    let most = 0;
    let at = 0;
    let ended = 0;
    const orders = takeSignals(
      {
        log: silentLog,
        onReload: async () => {
          reloads += 1;
          most = Math.max(most, (now += 1));
          await new Promise((resolve) => setImmediate(resolve));
          now -= 1;
          if (reloads === 1) throw new Error('bad file');
        },
      },
      from,
      () => at,
      () => void (ended += 1),
    );
    from.emit('SIGHUP', 'SIGHUP');
    from.emit('SIGHUP', 'SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([reloads, most]).toEqual([2, 1]);
    expect([orders.stop.aborted, orders.stopNow.aborted]).toEqual([false, false]);
    from.emit('SIGTERM', 'SIGTERM');
    expect([orders.stop.aborted, orders.stopNow.aborted]).toEqual([true, false]);
    // The copy that a process group, or a program above this one, passes on.
    at += 200;
    from.emit('SIGTERM', 'SIGTERM');
    expect([orders.stop.aborted, orders.stopNow.aborted]).toEqual([true, false]);
    at += 301;
    from.emit('SIGINT', 'SIGINT');
    expect([orders.stop.aborted, orders.stopNow.aborted]).toEqual([true, true]);
    orders[Symbol.dispose]();
    // One that was on its way ends the process as it would have ended, and not by the signal.
    expect(ended).toBe(0);
    from.emit('SIGTERM', 'SIGTERM');
    expect(ended).toBe(1);
    expect(from.listenerCount('SIGHUP')).toBe(0);
  });

  it('never decide how a process ends that was told to, however late they come', async () => {
    const source = new URL('../../../src/commands/run-signals.ts', import.meta.url).href;
    const program = `
      import { takeSignals } from ${JSON.stringify(source)};
      const orders = takeSignals({ log: { info() {} } });
      // A heap that takes a moment to be taken down.
      globalThis.heap = Array.from({ length: 300_000 }, (_, index) => ({ index }));
      const timer = setInterval(() => {}, 1_000);
      orders.stop.addEventListener('abort', () => { clearInterval(timer); orders[Symbol.dispose](); });
      console.log('up');`;
    await using dir = await tempDir();
    const file = join(dir.path, 'program.mjs');
    await writeFile(file, program);
    const child = spawn(process.execPath, [file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const ended = once(child, 'exit');
    const again = setInterval(() => child.kill('SIGTERM'), 1);
    const [code, signal] = (await ended.finally(() => clearInterval(again))) as [
      number | null,
      string | null,
    ];
    expect([code, signal]).toEqual([0, null]);
  });

  it('are given back when nobody asked for an end', () => {
    const from = new EventEmitter();
    takeSignals({ log: silentLog }, from)[Symbol.dispose]();
    expect(from.eventNames()).toEqual([]);
  });
});

describe('the ready notification', () => {
  /** Receives one datagram, written in the one language that every Debian has for it. */
  const receiver = async (path: string) => {
    const program =
      'socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die "$!"; $| = 1; print "bound\\n";' +
      'alarm 10; recv(S, my $text, 4096, 0); print $text;';
    const child = spawn(PERL, ['-MSocket', '-e', program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return { received: once(child, 'close').then(() => text.split('\n').sort()) };
  };

  it('goes through perl where there is no systemd-notify', async () => {
    await using temp = await tempDir();
    const path = join(temp.path, 'notify');
    const { received } = await receiver(path);
    // A search path that holds perl alone.
    await writeFile(join(temp.path, 'perl'), `#!/bin/sh\nexec ${PERL} "$@"\n`);
    await chmod(join(temp.path, 'perl'), 0o755);
    const log = recorder();
    const env = { NOTIFY_SOCKET: path, PATH: temp.path };
    await createNotifier({ env, log, pid: 7 }).ready('all\nis well');
    expect(await received).toEqual(['MAINPID=7', 'READY=1', 'STATUS=all is well']);
    expect(log.said.filter((line) => line.startsWith('warn'))).toEqual([]);
  });

  it('is told to the log when nobody can send it, and the program goes on', async () => {
    const log = recorder();
    await createNotifier({ env: { NOTIFY_SOCKET: '/nowhere/notify', PATH: '/nowhere' }, log }).stopping();
    expect(log.said.at(-1)).toMatch(/^warn: the service manager was not told/);
  });

  it('is silent where no manager asks for it', async () => {
    const log = recorder();
    await createNotifier({ env: { PATH: '/nowhere' }, log }).ready('x');
    expect(log.said).toEqual([]);
  });
});
