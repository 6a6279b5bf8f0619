import { fstatSync, readdirSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { endLeftovers } from '../../src/exec/end-processes.ts';
import { createPipeSource, makeOutputPipes, type PipeSource } from '../../src/exec/output-pipes.ts';
import { findProcesses } from '../../src/exec/processes.ts';
import { runTree, type TreeEnd, type TreeOptions } from '../../src/exec/run-tree.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const NAUGHTY = join(import.meta.dirname, '../fixtures/naughty');
const uids = [process.geteuid?.() ?? 0];
let names = 0;

async function tree(
  command: readonly string[],
  options: Partial<TreeOptions> = {},
): Promise<{ end: TreeEnd; stdout: Buffer; stderr: Buffer; tookMs: number; marker: string; left: number[] }> {
  await using dir = await tempDir();
  names += 1;
  const marker = `test-${process.pid}/${names}`;
  const parts: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const start = performance.now();
  const end = await runTree({
    command,
    cwd: dir.path,
    scratch: dir.path,
    env: { PATH: process.env['PATH'] ?? '' },
    marker,
    identity: null,
    timeoutMs: null,
    maxTimeMs: 20_000,
    sigtermTimeMs: 500,
    signal: new AbortController().signal,
    onOutput(channel, bytes) {
      parts[channel].push(bytes);
    },
    ...options,
  });
  const tookMs = performance.now() - start;
  const left = findProcesses({ marker, uids });
  await endLeftovers(marker, { sigtermTimeMs: 0 });
  return {
    end,
    stdout: Buffer.concat(parts.stdout),
    stderr: Buffer.concat(parts.stderr),
    tookMs,
    marker,
    left,
  };
}

const naughty = (name: string) =>
  name.endsWith('.cjs') ? [process.execPath, join(NAUGHTY, name)] : [join(NAUGHTY, name)];

describe('the end of a command', () => {
  test.each([
    { title: 'exit code 0', script: 'true', expected: { ended: 'exit', rc: 0, signal: null } },
    { title: 'exit code 3', script: 'exit 3', expected: { ended: 'exit', rc: 3, signal: null } },
    {
      title: 'exit code 137, which is no signal',
      script: 'exit 137',
      expected: { ended: 'exit', rc: 137, signal: null },
    },
    {
      title: 'a signal',
      script: 'kill -SEGV $$',
      expected: { ended: 'signal', rc: null, signal: 'SIGSEGV' },
    },
  ])('tells $title', async ({ script, expected }) => {
    const { end } = await tree(['/bin/sh', '-c', script]);
    expect(end).toMatchObject(expected);
  });

  test('a program that is not there was not started, with its name in the error', async () => {
    const { end } = await tree(['no-such-program-here']);
    expect(end.ended).toBe('notStarted');
    expect(end.error?.message).toContain('no-such-program-here');
  });

  test('a signal that is aborted while the command is being started ends it', async () => {
    const cancel = new AbortController();
    const pipes = {
      take: (...words: Parameters<typeof makeOutputPipes>) => {
        cancel.abort();
        return makeOutputPipes(...words);
      },
      [Symbol.dispose]: () => undefined,
    };
    const { end } = await tree(['sleep', '60'], { signal: cancel.signal, maxTimeMs: 5_000, pipes });
    expect(end.ended).toBe('cancelled');
  });

  test('an aborted signal starts nothing', async () => {
    const { end, stdout } = await tree(['echo', 'ran'], { signal: AbortSignal.abort() });
    expect(end.ended).toBe('cancelled');
    expect(stdout.toString()).toBe('');
  });
});

describe('the pipes of a source', () => {
  /** Runs commands one after the other; gives what each said, and the inode of the pipe that it said it into. */
  async function commands(pipes: PipeSource, scripts: readonly string[]): Promise<[string, string][]> {
    const said: [string, string][] = [];
    for (const script of scripts) {
      const { stdout } = await tree(['/bin/sh', '-c', `stat -L -c %i /dev/stdout; ${script}`], { pipes });
      const [inode = '', ...rest] = stdout.toString().split('\n');
      said.push([inode, rest.join('\n')]);
    }
    return said;
  }

  test('serve the next command when nobody can write into them any more, with nothing left in them', async () => {
    using pipes = createPipeSource(1);
    const said = await commands(pipes, ['echo one', 'echo two', 'printf three']);
    expect(said.map(([, text]) => text)).toEqual(['one\n', 'two\n', 'three']);
    expect(new Set(said.map(([inode]) => inode)).size).toBe(1);
  });

  test('serve no other command while something still holds them', async () => {
    using pipes = createPipeSource(1);
    await using dir = await tempDir();
    const first = await pipes.take(dir.path, null);
    const inode = (held: typeof first) => fstatSync(held!.ends[0]).ino;
    const before = inode(first);
    // The command is over for us, and its end of the pipe is still open, as with a process that outlives KILL.
    first!.over();
    const second = await pipes.take(dir.path, null);
    expect(inode(second)).not.toBe(before);
    expect(() => writeSync(first!.ends[0], 'x')).toThrow(/EPIPE/);
    for (const held of [first, second]) held!.given();
    second!.over();
  });

  test('are not kept beyond their number', async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    await using dir = await tempDir();
    const before = open();
    const pipes = createPipeSource(1);
    const taken = await Promise.all([1, 2, 3].map(() => pipes.take(dir.path, null)));
    for (const held of taken) {
      held!.given();
      held!.stdout.resume();
      held!.stderr.resume();
      await Promise.all([finished(held!.stdout), finished(held!.stderr)]);
      held!.over();
    }
    await until('the streams to be closed', () => open() <= before + 2);
    pipes[Symbol.dispose]();
    expect(open()).toBeLessThanOrEqual(before);
  });
});

describe('output', () => {
  test('half characters arrive as the bytes they are', async () => {
    const { stdout } = await tree(naughty('half-character.cjs'));
    expect([...stdout]).toEqual([0xe2, 0x82, 0xac, 0xe2, 0x82]);
  });

  test('a line of 10 MB arrives whole', async () => {
    const { stdout } = await tree(naughty('long-line.cjs'));
    expect(stdout.length).toBe(10_000_000);
    expect(stdout.equals(Buffer.alloc(10_000_000, 'x'))).toBe(true);
  });

  test('both outputs arrive whole when both are flooded, byte for byte', async () => {
    const { stdout, stderr } = await tree(naughty('floods.cjs'));
    const block = Buffer.from(Array.from({ length: 65_536 }, (_, index) => index % 256));
    const whole = Buffer.concat(Array.from({ length: 64 }, () => block));
    expect(stdout.equals(whole)).toBe(true);
    expect(stderr.equals(whole)).toBe(true);
  });

  test('a script can open /dev/stdout and /dev/stderr', async () => {
    const { stdout, stderr } = await tree([
      '/bin/sh',
      '-c',
      'echo out > /dev/stdout; echo err > /dev/stderr',
    ]);
    expect({ stdout: stdout.toString(), stderr: stderr.toString() }).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('nothing is handed on while a promise is pending, the command waits, and nothing is lost', async () => {
    let inside = 0;
    let worst = 0;
    let bytes = 0;
    const { end } = await tree(naughty('floods.cjs'), {
      async onOutput(_, chunk) {
        inside += 1;
        worst = Math.max(worst, inside);
        await new Promise((resolve) => setTimeout(resolve, 1));
        bytes += chunk.length;
        inside -= 1;
      },
    });
    expect(end.rc).toBe(0);
    expect(worst).toBe(1);
    expect(bytes).toBe(2 * 64 * 65_536);
  });

  test('a reader that fails ends the tree, and its error comes out', async () => {
    const full = new Error('disk full');
    const running = tree(['/bin/sh', '-c', 'echo x; exec sleep 600'], {
      onOutput: () => Promise.reject(full),
    });
    await expect(running).rejects.toBe(full);
  });
});

describe('limits', () => {
  test('silence ends the command', async () => {
    const { end, left } = await tree(['/bin/sh', '-c', 'echo x; exec sleep 600'], { timeoutMs: 200 });
    expect(end).toMatchObject({ ended: 'timeout', rc: null, signal: 'SIGTERM' });
    expect(left).toEqual([]);
  });

  test('output that goes on is no silence', async () => {
    const { end } = await tree(['/bin/sh', '-c', 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.1; done'], {
      timeoutMs: 400,
    });
    expect(end).toMatchObject({ ended: 'exit', rc: 0 });
  });

  test('the limit in all ends a command that talks', async () => {
    const { end } = await tree(['/bin/sh', '-c', 'while :; do echo x; sleep 0.02; done'], {
      timeoutMs: 5_000,
      maxTimeMs: 300,
    });
    expect(end).toMatchObject({ ended: 'maxTime', rc: null });
  });

  test('time in which nobody reads counts for no limit', async () => {
    let first = true;
    const { end } = await tree(['/bin/sh', '-c', 'echo a; sleep 0.05; echo b'], {
      timeoutMs: 400,
      maxTimeMs: 400,
      onOutput() {
        if (!first) return undefined;
        first = false;
        return new Promise((resolve) => setTimeout(resolve, 900));
      },
    });
    expect(end).toMatchObject({ ended: 'exit', rc: 0 });
  });
});

describe('the whole tree', () => {
  test('a command that ignores TERM is killed after its time', async () => {
    const { end, tookMs } = await tree(naughty('ignores-term.sh'), { maxTimeMs: 200, sigtermTimeMs: 400 });
    expect(end).toMatchObject({ ended: 'maxTime', signal: 'SIGKILL' });
    expect(tookMs).toBeGreaterThan(550);
    expect(tookMs).toBeLessThan(4_000);
  });

  test('a step is over 5 s after its command although a child in another session holds the pipe', async () => {
    const { end, stdout, tookMs, left } = await tree(naughty('holds-the-pipe.sh'));
    expect(end).toMatchObject({ ended: 'exit', rc: 0, leftovers: 1 });
    expect(stdout.toString()).toBe('over\n');
    expect(tookMs).toBeLessThan(5_000);
    expect(left).toEqual([]);
  });

  test.each(['double-fork.sh', 'forks-on.sh'])('a cancel ends %s with all that got away', async (name) => {
    const cancel = new AbortController();
    const { end, left } = await tree(naughty(name), {
      signal: cancel.signal,
      onOutput() {
        cancel.abort();
      },
    });
    expect(end.ended).toBe('cancelled');
    expect(end.alive).toEqual([]);
    expect(left).toEqual([]);
  });

  test('what a killed worker left is found by the marker above it', async () => {
    await using dir = await tempDir();
    const worker = `worker-${process.pid}`;
    const foundBefore = await endLeftovers(worker);
    await runTree({
      command: [
        '/bin/sh',
        '-c',
        'setsid sh -c "echo \\$\\$ > pid; exec sleep 600" </dev/null >/dev/null 2>&1 &',
      ],
      cwd: dir.path,
      env: { PATH: process.env['PATH'] ?? '' },
      marker: `${worker}/builder/1`,
      identity: null,
      timeoutMs: null,
      maxTimeMs: 10_000,
      sigtermTimeMs: 100,
      signal: new AbortController().signal,
      onOutput() {},
    });
    const pid = await until(
      'the pid file',
      async () => (await readFile(join(dir.path, 'pid'), 'utf8').catch(() => '')).trim() || undefined,
    );
    await expect(endLeftovers(`${worker}x`)).resolves.toEqual({ found: 0, alive: [] });
    // Looked for before it was born: that must not hide it.
    expect(foundBefore).toEqual({ found: 0, alive: [] });
    await expect(endLeftovers(worker)).resolves.toEqual({ found: 1, alive: [] });
    // It may stay as a zombie where nobody takes in orphans; then it has no command line.
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).toBe('');
  });
});
