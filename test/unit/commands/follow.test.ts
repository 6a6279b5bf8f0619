import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { pieceLine } from '../../../src/api/log-pieces.ts';
import { RESULTS } from '../../../src/build/results.ts';
import { aBuild, aRequest, aStep } from '../../rigs/api-objects.ts';
import { command } from '../../rigs/command.ts';
import { fakeMaster } from '../../rigs/fake-master.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { until } from '../../rigs/wait.ts';

const finished = (results: number) => ({ complete: true, results, result: RESULTS[results]! });

describe('build start --wait', () => {
  it.each([
    [0, 0],
    [1, 0],
    [2, 1],
    [4, 11],
    [6, 9],
  ])('ends with the code of result %d: %d', async (results, code) => {
    await using temp = await tempDir();
    await using _master = await fakeMaster(temp.path, {
      startBuild: async () => aRequest(),
      request: async () =>
        aRequest({ ...finished(results), builds: [{ buildid: 1, number: 12, result: null }] }),
      build: async () => aBuild({ ...finished(results), steps: [aStep(finished(results))] }),
    });
    const ran = await command(['build', 'start', 'app', '--wait', '--json'], { cwd: temp.path });
    expect(ran.code).toBe(code);
    expect(ran.lines()).toMatchObject([
      { type: 'build.started', v: 1, build: { number: 12, builder: 'app' } },
      { type: 'step.started', v: 1, build: 'app/12', step: { name: 'test' } },
      { type: 'step.finished', v: 1, build: 'app/12', step: { results } },
      { type: 'build.finished', v: 1, build: { results } },
      { type: 'request.finished', v: 1, buildid: 1, request: { results } },
    ]);
  });

  it('goes on with the next build of the request after a lost worker', async () => {
    await using temp = await tempDir();
    await using _master = await fakeMaster(temp.path, {
      startBuild: async () => aRequest(),
      request: async () =>
        aRequest({
          ...finished(0),
          builds: [
            { buildid: 1, number: 12, result: 'retry' },
            { buildid: 2, number: 13, result: 'success' },
          ],
        }),
      build: async ({ params }) =>
        params.build === '1'
          ? aBuild({ ...finished(5), state_string: 'worker w1 was lost' })
          : aBuild({ buildid: 2, number: 13, ...finished(0) }),
    });
    const ran = await command(['build', 'start', 'app', '--wait'], { cwd: temp.path });
    expect(ran).toMatchObject({ code: 0, stdout: '' });
    expect(ran.stderr).toMatchInlineSnapshot(`
      "Request r17 for app
      app/12 on w1, main 4d5e6f0a1b2c3d4e5f60718293a4b5c6d7e8f901
      app/12 retry after 4.0 s: worker w1 was lost
      app/13 on w1, main 4d5e6f0a1b2c3d4e5f60718293a4b5c6d7e8f901
      app/13 success after 4.0 s
      "
    `);
  });

  it('says for people what happens, and where the red log is', async () => {
    await using temp = await tempDir();
    await using _master = await fakeMaster(temp.path, {
      request: async () => aRequest({ ...finished(2), builds: [{ buildid: 1, number: 12, result: null }] }),
      build: async () =>
        aBuild({
          ...finished(2),
          state_string: 'failed test',
          steps: [
            aStep({ name: 'git' }),
            aStep({ number: 1, ...finished(2), rc: 1, state_string: "'make' ended with 1" }),
          ],
        }),
    });
    const ran = await command(['build', 'watch', 'app/12'], { cwd: temp.path });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatchInlineSnapshot(`
      "app/12 on w1, main 4d5e6f0a1b2c3d4e5f60718293a4b5c6d7e8f901
        0 git  success  2.5 s
        1 test  failure: 'make' ended with 1  2.5 s
      app/12 failure after 4.0 s: failed test
      Its log: bbx build log app/12 --step 1
      "
    `);
  });

  it('ends with 130 at Ctrl-C and says that the build goes on', async () => {
    await using temp = await tempDir();
    await using master = await fakeMaster(temp.path, { request: async () => aRequest() });
    const stop = new AbortController();
    const watching = command(['build', 'watch', 'r17'], { cwd: temp.path, signal: stop.signal });
    await until('the watcher', () => master.asked.length > 0);
    stop.abort(new Error('interrupted'));
    const ran = await watching;
    expect(ran.code).toBe(130);
    expect(ran.stderr).toBe('Stopped watching; r17 goes on. See: bbx build watch r17\n');
  });
});

const aPiece = (offset: number, data: Buffer) =>
  Buffer.concat([pieceLine({ offset, at: 1, channel: 'stdout', bytes: data.length }), data]);

describe('build log', () => {
  const binary = Buffer.from([0x66, 0xff, 0x00, 0x1b, 0x5b, 0x0a, 0x67]);
  const steps = [aStep({ name: 'git' }), aStep({ number: 1, name: 'make' }), aStep({ number: 2, logs: [] })];
  const farm = (dir: string) =>
    fakeMaster(
      dir,
      { build: async () => aBuild({ steps }) },
      {
        async *log({ step, query }) {
          if (query['channels'] === 'output') yield aPiece(0, binary);
          else yield aPiece(0, Buffer.from(`output of ${step}\nwithout end`));
        },
      },
    );

  it('prints all steps under headings', async () => {
    await using temp = await tempDir();
    await using _master = await farm(temp.path);
    const ran = await command(['build', 'log', 'app'], { cwd: temp.path });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatchInlineSnapshot(`
      "=== 0 git  success, 2.5 s
      output of 0
      without end
      === 1 make  success, 2.5 s
      output of 1
      without end
      === 2 test  success, 2.5 s
      "
    `);
  });

  it.each([['make'], ['1']])('prints the one step that is named, without a heading: %s', async (step) => {
    await using temp = await tempDir();
    await using _master = await farm(temp.path);
    const ran = await command(['build', 'log', 'app', '--step', step], { cwd: temp.path });
    expect(ran.stdout).toBe('output of 1\nwithout end\n');
  });

  it('says once that the master is away however often it is tried, and when it is back', async () => {
    await using temp = await tempDir();
    let calls = 0;
    await using master = await fakeMaster(
      temp.path,
      { build: async () => aBuild({ steps: [aStep()] }), step: async () => aStep() },
      {
        async *log() {
          calls += 1;
          if (calls > 1) return yield aPiece(4, Buffer.from('two\n'));
          yield aPiece(0, Buffer.from('one\n'));
          // Long enough for some tries that fail: they come after 0.2 s, 0.4 s and so on.
          void master.stop().then(() => setTimeout(() => void master.start(), 1_200));
          await new Promise((resolve) => setTimeout(resolve, 600));
        },
      },
    );
    const ran = await command(['build', 'log', 'app', '-f', '--step', '0', '--raw'], { cwd: temp.path });
    expect(ran.stdout).toBe('one\ntwo\n');
    expect(ran.stderr.match(/waiting until it is back/g)).toHaveLength(1);
    expect(ran.stderr).toMatch(/The master is back\n$/);
  });

  it('gives exactly the bytes with --raw, in JSON as base64 where they are no text', async () => {
    await using temp = await tempDir();
    await using _master = await farm(temp.path);
    const ran = await command(['build', 'log', 'app', '--raw', '--step', '0', '--json'], { cwd: temp.path });
    expect(ran.lines()).toEqual([
      {
        type: 'log',
        v: 1,
        buildid: 1,
        build: 'app/12',
        step: 0,
        log: 'stdio',
        base64: binary.subarray(0, 6).toString('base64'),
      },
      { type: 'log', v: 1, buildid: 1, build: 'app/12', step: 0, log: 'stdio', text: 'g' },
    ]);
  });

  describe('with a hole', () => {
    const holed = (dir: string) =>
      fakeMaster(
        dir,
        { build: async () => aBuild({ steps: [aStep({ name: 'git' })] }) },
        {
          async *log() {
            yield aPiece(0, Buffer.from('before'));
            yield pieceLine({ offset: 6, at: 1, lost: 65_536, cause: 'disk' });
            yield pieceLine({ offset: 65_542, at: 1, lost: 4_464, cause: 'disk' });
            yield aPiece(70_006, Buffer.from('after\n'));
          },
        },
      );

    it('draws it as one, on a line of its own', async () => {
      await using temp = await tempDir();
      await using _master = await holed(temp.path);
      const ran = await command(['build', 'log', 'app', '--step', '0'], { cwd: temp.path });
      expect(ran.stdout).toBe(
        "before\n-- 70,000 bytes missing here (damaged on the master's disk) --\nafter\n",
      );
    });

    it('leaves it out of --raw, and tells it on stderr', async () => {
      await using temp = await tempDir();
      await using _master = await holed(temp.path);
      const ran = await command(['build', 'log', 'app', '--step', '0', '--raw'], { cwd: temp.path });
      expect(ran.stdout).toBe('beforeafter\n');
      expect(ran.stderr).toMatch(/^At byte 6: -- 70,000 bytes missing here/);
    });

    it('tells it in JSON, with its place and cause', async () => {
      await using temp = await tempDir();
      await using _master = await holed(temp.path);
      const ran = await command(['build', 'log', 'app', '--step', '0', '--json'], { cwd: temp.path });
      expect(ran.lines()).toMatchObject([
        { text: 'before' },
        { lost: 70_000, offset: 6, cause: 'disk' },
        { text: 'after\n' },
      ]);
    });

    it('is what --verify finds', async () => {
      await using temp = await tempDir();
      await using _master = await holed(temp.path);
      const ran = await command(['build', 'log', 'app', '--verify'], { cwd: temp.path });
      expect(ran.code).toBe(1);
      expect(ran.stdout).toMatch(/^0 git stdio\tdamaged\tat byte 6: -- 70,000 bytes missing here/);
    });
  });

  describe('that breaks off', () => {
    const log = { ...aStep().logs[0]!, bytes: 6, complete: true, lines: 0, receipt: 'unsaid' as const };
    const sha256 = createHash('sha256').update('before').digest('hex');
    const brokenOff = (dir: string) =>
      fakeMaster(
        dir,
        { build: async () => aBuild({ steps: [aStep({ name: 'make', logs: [{ ...log, sha256 }] })] }) },
        {
          async *log() {
            yield aPiece(0, Buffer.from('before'));
            const why = 'worker "w\x1b[2J1" was\nlost';
            yield pieceLine({ offset: 6, at: 1, lost: null, cause: 'worker', why });
          },
        },
      );
    const words =
      '-- the log breaks off here: worker "w\\x1b[2J1" was lost; how much is missing is not known --';

    it('is drawn as that, with why, and with the place that nobody knows the length of', async () => {
      await using temp = await tempDir();
      await using _master = await brokenOff(temp.path);
      const ran = (...more: string[]) =>
        command(['build', 'log', 'app', '--step', '0', ...more], { cwd: temp.path });
      expect((await ran()).stdout).toBe(`before\n${words}\n`);
      expect(await ran('--raw')).toMatchObject({ stdout: 'before', stderr: `At byte 6: ${words}\n` });
      expect((await ran('--json')).lines()).toMatchObject([
        { text: 'before' },
        { lost: null, offset: 6, cause: 'worker', why: expect.stringContaining('was') as string },
      ]);
    });

    it('is incomplete for --verify, and said beside its size by build show', async () => {
      await using temp = await tempDir();
      await using _master = await brokenOff(temp.path);
      const verified = await command(['build', 'log', 'app', '--verify'], { cwd: temp.path });
      expect(verified).toMatchObject({
        code: 0,
        stdout: `0 make stdio\tincomplete\tat byte 6: ${words}\n`,
      });
      const shown = await command(['build', 'show', 'app'], { cwd: temp.path });
      expect(shown.stdout).toContain('stdio 6 B (breaks off)');
    });
  });

  describe('--verify', () => {
    const text = Buffer.from('a\nb\n');
    const sha256 = createHash('sha256').update(text).digest('hex');
    const log = {
      logid: 1,
      stepid: 1,
      name: 'stdio',
      bytes: 4,
      complete: true,
      pruned: false,
      lines: 2,
      sha256,
      cut: 0,
    };
    const end = { ...log, receipt: 'verified' as const };

    it.each([
      ['a sound log', end, 'verified', 0],
      ['one that was cut by its limit', { ...end, cut: 1_000 }, 'verified', 0],
      ['one whose hash is another', { ...end, sha256: 'ab'.repeat(32) }, 'damaged', 1],
      ['one that is longer', { ...end, bytes: 3 }, 'damaged', 1],
      [
        'one that was not what its worker had counted',
        { ...end, receipt: 'mismatch' as const },
        'damaged',
        1,
      ],
      ['one whose worker was lost', { ...end, receipt: 'unsaid' as const }, 'incomplete', 0],
      [
        'one whose worker was lost, of which some is lost again',
        { ...end, bytes: 5, receipt: 'unsaid' as const },
        'damaged',
        1,
      ],
      ['one of an older bbx without a hash', { ...end, sha256: null, receipt: null }, 'unknown', 0],
      ['one that grows', { ...end, complete: false, sha256: null, receipt: null }, 'unknown', 0],
      ['one that retention removed', { ...end, pruned: true }, 'removed', 0],
    ])('says of %s', async (_, row, state, code) => {
      await using temp = await tempDir();
      await using _master = await fakeMaster(
        temp.path,
        { build: async () => aBuild({ steps: [aStep({ logs: [row] })] }) },
        {
          async *log() {
            // A head that is cut in two, and a piece that is.
            const bytes = aPiece(0, text);
            yield bytes.subarray(0, 9);
            yield bytes.subarray(9, bytes.length - 2);
            yield bytes.subarray(bytes.length - 2);
          },
        },
      );
      const ran = await command(['build', 'log', 'app', '--verify', '--json'], { cwd: temp.path });
      expect(ran.code).toBe(code);
      const answer = JSON.parse(ran.stdout) as { verified: boolean; logs: { state: string }[] };
      expect(answer.logs).toMatchObject([{ state }]);
      expect(answer.verified).toBe(code === 0);
    });
  });
});
