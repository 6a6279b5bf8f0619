import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CommandPort } from '../../src/build/command-port.ts';
import { dummyPort, says, untilCancelled, type Act } from '../rigs/dummy-port.ts';
import { localPort, runOn, shellCommand } from '../rigs/local-port.ts';

/** What every port must do. A dummy is told with `act` what the real ones do by themselves. */
interface Implementation {
  name: string;
  open(act: Act): Promise<{ port: CommandPort } & AsyncDisposable>;
}

const implementations: Implementation[] = [
  { name: 'local', open: () => localPort() },
  { name: 'dummy', open: async (act) => ({ port: dummyPort([act]), async [Symbol.asyncDispose]() {} }) },
];

describe.each(implementations)('the $name port', ({ open }) => {
  test.each<{ title: string; script: string; act: Act; end: object }>([
    { title: 'success', script: 'true', act: {}, end: { ended: 'exit', rc: 0, signal: null } },
    { title: 'an exit code', script: 'exit 7', act: { rc: 7 }, end: { ended: 'exit', rc: 7, signal: null } },
    {
      title: 'a signal',
      script: 'kill -TERM $$',
      act: { ended: 'signal', rc: null, signal: 'SIGTERM' },
      end: { ended: 'signal', rc: null, signal: 'SIGTERM' },
    },
  ])('tells $title', async ({ script, act, end }) => {
    await using opened = await open(act);
    expect(await runOn(opened.port, shellCommand(script))).toMatchObject(end);
  });

  test('resolves for a command that cannot start', async () => {
    await using opened = await open({ ended: 'notStarted', rc: null });
    expect(await runOn(opened.port, shellCommand(['no-such-program']))).toMatchObject({
      ended: 'notStarted',
      rc: null,
    });
  });

  test('ends a command that is cancelled, and one that was cancelled before', async () => {
    await using opened = await open(untilCancelled);
    const end = await runOn(opened.port, shellCommand('exec sleep 600'), AbortSignal.timeout(100));
    expect(end).toMatchObject({ ended: 'cancelled', rc: null });
    await using second = await open(untilCancelled);
    expect(await runOn(second.port, shellCommand('exec sleep 600'), AbortSignal.abort())).toMatchObject({
      ended: 'cancelled',
    });
  });

  test('tells its channels apart', async () => {
    const act = says([
      ['stdout', 'out\n'],
      ['stderr', 'err\n'],
    ]);
    await using opened = await open(act);
    const end = await runOn(opened.port, shellCommand('echo out; echo err >&2'));
    expect(end).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });

  test('waits for the taker of its output', async () => {
    const act = says([
      ['stdout', 'one\n'],
      ['stdout', 'two\n'],
    ]);
    await using opened = await open(act);
    let inside = 0;
    let most = 0;
    let text = '';
    await opened.port.run(shellCommand('echo one; sleep 0.05; echo two'), {
      signal: new AbortController().signal,
      async onOutput(channel, bytes) {
        if (channel !== 'stdout') return;
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setTimeout(resolve, 100));
        text += Buffer.from(bytes).toString();
        inside -= 1;
      },
    });
    expect({ text, most }).toEqual({ text: 'one\ntwo\n', most: 1 });
  });
});

describe('the local port', () => {
  test('runs text by the shell and a list directly', async () => {
    await using farm = await localPort();
    expect((await runOn(farm.port, shellCommand('echo "$((1 + 1))"'))).stdout).toBe('2\n');
    expect((await runOn(farm.port, shellCommand(['echo', '$((1 + 1))', '; ls']))).stdout).toBe(
      '$((1 + 1)) ; ls\n',
    );
  });

  test('lets of the worker’s environment only through what programs need, and the plan’s', async () => {
    const env = {
      HOME: '/home/w',
      LC_ALL: 'C',
      BBX_TOKEN: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      SSH_AUTH_SOCK: '/x',
      NODE_OPTIONS: '--x',
    };
    await using farm = await localPort({ env });
    const { stdout } = await runOn(farm.port, shellCommand(['env'], { env: { MINE: 'yes' } }));
    const names = stdout.split('\n').map((line) => line.split('=')[0]);
    expect(names.filter((name) => name !== '').sort()).toEqual([
      'BBX_BUILD',
      'HOME',
      'LC_ALL',
      'MINE',
      'PATH',
      'PWD',
    ]);
  });

  test.each([
    { workdir: '..', says: 'leads out' },
    { workdir: 'a/../../b', says: 'leads out' },
    { workdir: '/etc', says: 'absolute' },
    { workdir: 'link', says: 'symbolic link leads out' },
    { workdir: 'link/deeper', says: 'symbolic link leads out' },
    { workdir: 'dangling', says: 'leads to nothing' },
  ])('refuses the workdir $workdir', async ({ workdir, says: words }) => {
    await using farm = await localPort();
    await runOn(farm.port, shellCommand('ln -s / link; ln -s /nonexistent/x dangling'));
    const end = await runOn(farm.port, shellCommand('pwd', { workdir }));
    expect(end).toMatchObject({ ended: 'notStarted', stdout: '' });
    expect(end.header).toContain(words);
  });

  test('makes a workdir that is not there, and follows links that stay inside', async () => {
    await using farm = await localPort();
    expect(
      (await runOn(farm.port, shellCommand('pwd; ln -s a/b ../../short', { workdir: 'a/b' }))).stdout,
    ).toBe(`${join(farm.workspace.root, 'a/b')}\n`);
    expect((await runOn(farm.port, shellCommand('pwd -P', { workdir: 'short' }))).stdout).toBe(
      `${join(farm.workspace.root, 'a/b')}\n`,
    );
  });

  test('says in the log when it ended what a command left behind', async () => {
    await using farm = await localPort();
    const script = join(import.meta.dirname, '../fixtures/naughty/holds-the-pipe.sh');
    const end = await runOn(farm.port, shellCommand([script]));
    expect(end).toMatchObject({ ended: 'exit', rc: 0, stdout: 'over\n' });
    expect(end.header).toContain('a process that it left held its output: ended');
  });
});
