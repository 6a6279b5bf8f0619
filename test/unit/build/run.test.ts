import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { CommandResult } from '../../../src/build/command-port.ts';
import { buildPlan } from '../../../src/build/plan.ts';
import { RESULTS, resultOf } from '../../../src/build/results.ts';
import { runPlan, type RunOptions } from '../../../src/build/run.ts';
import { dummyPort, says, untilCancelled, type Act } from '../../rigs/dummy-port.ts';
import { memoryJournal } from '../../rigs/memory-journal.ts';

const clock: Clock = { wall: () => 1_000, monotonic: () => 0 };

const shell = (name: string, options: object = {}) => ({
  kind: 'shell',
  name,
  command: ['run', name],
  ...options,
});

async function walk(
  steps: readonly object[],
  acts: readonly Act[],
  options: Partial<RunOptions> & { env?: object } = {},
) {
  const { env = {}, ...rest } = options;
  const journal = memoryJournal();
  const port = dummyPort(acts);
  const plan = buildPlan.parse({
    builder: 'b',
    number: 7,
    builddir: 'b',
    env,
    properties: { branch: 'main', number: 7 },
    steps,
  });
  const result = await runPlan(plan, {
    port,
    journal,
    secrets: new Map(),
    workdir: '/work/b/build',
    clock,
    signal: new AbortController().signal,
    ...rest,
  });
  const finished = journal.events.filter((event) => event.type === 'stepFinished');
  return {
    result,
    journal,
    port,
    finished,
    /** `name:result` of each step that ran. */
    story: finished.map((event) => `${plan.steps[event.step]?.name}:${resultOf(event.results)}`),
    last: journal.events.at(-1),
  };
}

describe('which steps run', () => {
  const fail: Act = { rc: 1 };
  test.each<{ title: string; steps: object[]; acts: Act[]; story: string; result: string }>([
    {
      title: 'all, when all is well',
      steps: [shell('a'), shell('b')],
      acts: [],
      story: 'a:success b:success',
      result: 'success',
    },
    {
      title: 'those after a failure that does not halt',
      steps: [shell('a'), shell('b')],
      acts: [fail],
      story: 'a:failure b:success',
      result: 'failure',
    },
    {
      title: 'only alwaysRun after one that halts',
      steps: [shell('a', { haltOnFailure: true }), shell('b'), shell('c', { alwaysRun: true }), shell('d')],
      acts: [fail],
      story: 'a:failure c:success',
      result: 'failure',
    },
    {
      title: 'only alwaysRun after an exception',
      steps: [shell('a'), shell('b'), shell('c', { alwaysRun: true })],
      acts: [{ ended: 'notStarted', rc: null }],
      story: 'a:exception c:success',
      result: 'exception',
    },
    {
      title: 'only alwaysRun after a fault of the port',
      steps: [shell('a'), shell('b'), shell('c', { alwaysRun: true })],
      acts: [() => Promise.reject(new Error('port broke'))],
      story: 'a:exception c:success',
      result: 'exception',
    },
    {
      title: 'none of the ordinary after a git step that fails, which halts by default',
      steps: [{ kind: 'git', name: 'git', repository: 'r' }, shell('b')],
      acts: [fail],
      story: 'git:failure',
      result: 'failure',
    },
    { title: 'none in an empty plan', steps: [], acts: [], story: '', result: 'success' },
  ])('$title', async ({ steps, acts, story, result }) => {
    const walked = await walk(steps, acts);
    expect(walked.story.join(' ')).toBe(story);
    expect(walked.result).toBe(result);
    expect(walked.last).toMatchObject({ type: 'buildFinished', results: RESULTS.indexOf(walked.result) });
  });
});

describe("a step's end", () => {
  test.each<{ end: Partial<CommandResult>; options?: object; result: string; state: string; header: string }>(
    [
      { end: { rc: 0 }, result: 'success', state: 'finished', header: 'exit code 0' },
      { end: { rc: 2 }, result: 'failure', state: "'run s' failed", header: 'exit code 2' },
      {
        end: { rc: 3 },
        options: { decodeRC: { '3': 'warnings' } },
        result: 'warnings',
        state: "'run s' warnings",
        header: 'exit code 3',
      },
      {
        end: { rc: 0 },
        options: { decodeRC: { '0': 'failure' } },
        result: 'failure',
        state: "'run s' failed",
        header: 'exit code 0',
      },
      {
        end: { rc: 4 },
        options: { decodeRC: { '4': 'skipped' } },
        result: 'skipped',
        state: "'run s' skipped",
        header: 'exit code 4',
      },
      {
        end: { ended: 'signal', rc: null, signal: 'SIGSEGV' },
        result: 'failure',
        state: "'run s' failed (killed by SIGSEGV)",
        header: 'killed by signal SIGSEGV',
      },
      {
        end: { ended: 'timeout', rc: null, signal: 'SIGTERM' },
        result: 'failure',
        state: "'run s' failed (timed out, 20m without output)",
        header: 'timed out, 20m without output',
      },
      {
        end: { ended: 'maxTime', rc: null, signal: 'SIGKILL' },
        options: { maxTimeMs: 90_000 },
        result: 'failure',
        state: "'run s' failed (timed out, over 90s in all)",
        header: 'timed out, over 90s in all',
      },
      {
        end: { ended: 'notStarted', rc: null },
        result: 'exception',
        state: "'run s' exception (not started)",
        header: 'was not started',
      },
      {
        end: { ended: 'cancelled', rc: null },
        result: 'cancelled',
        state: "'run s' cancelled",
        header: 'cancelled',
      },
    ],
  )('$end is $result: $state', async ({ end, options, result, state, header }) => {
    const { finished, journal } = await walk([shell('s', options)], [end]);
    expect(finished[0]).toMatchObject({
      results: RESULTS.indexOf(result as never),
      state,
      rc: end.rc,
      signal: end.signal ?? null,
    });
    expect(journal.text(0, 'header')).toContain(header);
  });

  test('long commands are cut in the state, text ones too', async () => {
    const { finished } = await walk(
      [
        shell('a', { command: 'make  all\n-j 4' }),
        shell('b', { command: ['x', 'y', 'z'] }),
        shell('c', { command: 'make' }),
      ],
      [{ rc: 1 }, { rc: 1 }, { rc: 1 }],
    );
    expect(finished.map((event) => event.state)).toEqual([
      "'make all ...' failed",
      "'x y ...' failed",
      "'make' failed",
    ]);
  });
});

test('events and logs come in order: a step is over after its log', async () => {
  const { journal, last } = await walk([shell('a'), shell('b')], [says([['stdout', 'hello\n']]), { rc: 1 }]);
  expect(journal.order).toEqual([
    'buildStarted',
    ...['stepStarted 0', 'log 0 stdio', 'finished 0 stdio', 'stepFinished 0'],
    ...['stepStarted 1', 'log 1 stdio', 'finished 1 stdio', 'stepFinished 1'],
    'buildFinished',
  ]);
  expect(last).toMatchObject({ state: 'failed b' });
  const all = Buffer.byteLength(journal.text(0));
  expect(journal.events[2]).toMatchObject({ logs: [{ name: 'stdio', bytes: all }] });
});

describe('properties', () => {
  test('fill list commands and env; text commands stay as they are written', async () => {
    const { port } = await walk(
      [
        shell('a', {
          command: ['git', 'log', '${{ branch }}'],
          env: { W: '${{ workdir }}', B: 'step ${{ number }}' },
        }),
        shell('b', { command: 'echo ${{ branch }}' }),
      ],
      [],
      { env: { B: 'build', C: '${{ branch }}' } },
    );
    expect(port.commands).toMatchObject([
      { command: ['git', 'log', 'main'], env: { W: '/work/b/build', B: 'step 7', C: 'main' } },
      { command: 'echo ${{ branch }}', env: { B: 'build', C: 'main' } },
    ]);
  });

  test('that a step found are there for the next, and in its event', async () => {
    const { port, finished } = await walk(
      [
        { kind: 'git', name: 'git', repository: 'r' },
        shell('b', { command: ['echo', '${{ got_revision }}'] }),
      ],
      [{ properties: { got_revision: 'abc' } }],
    );
    expect(finished[0]?.properties).toEqual({ got_revision: 'abc' });
    expect(port.commands[1]).toMatchObject({ command: ['echo', 'abc'] });
  });

  test('that are missing make an exception that says which, and nothing runs', async () => {
    const { port, story, journal } = await walk([shell('a', { command: ['x', '${{ brnch }}'] })], []);
    expect(story).toEqual(['a:exception']);
    expect(port.commands).toEqual([]);
    expect(journal.text(0, 'header')).toContain(
      '"brnch": this build has no such property; did you mean "branch"?',
    );
  });
});

describe('secrets', () => {
  const secrets = new Map([['KEY', new Secret('hunter-two')]]);

  test('reach the command, and nothing else', async () => {
    const { port, journal } = await walk(
      [shell('a', { env: { K: { secret: 'KEY' } }, command: ['show', '${{ branch }}'] })],
      [
        says(
          [
            ['stdout', 'is hunt'],
            ['stderr', 'hunter-two'],
            ['stdout', 'er-two!'],
            ['header', 'with hunter-two\n'],
          ],
          { rc: 1 },
        ),
      ],
      { secrets },
    );
    expect(port.commands[0]).toMatchObject({ env: { K: 'hunter-two' } });
    expect(journal.text(0, 'stdout')).toBe('is ***!');
    expect(journal.text(0, 'stderr')).toBe('***');
    expect(journal.text(0, 'header')).toContain('with ***');
    expect(journal.text(0, 'header')).toContain(' K=***\n');
    expect(JSON.stringify(journal.events) + journal.text(0)).not.toContain('hunter-two');
  });

  test('that are short or hard to quote are not shown in the header either', async () => {
    const { journal } = await walk([shell('a', { env: { K: { secret: 'Q' }, S: { secret: 'S' } } })], [], {
      secrets: new Map([
        ['Q', new Secret("it's")],
        ['S', new Secret('xyz')],
      ]),
    });
    expect(journal.text(0)).not.toMatch(/it'|'s|xyz/);
    expect(journal.text(0)).toContain('secret "S" is too short to be masked');
  });

  test('that the master did not give make an exception that names them', async () => {
    const { story, journal } = await walk([shell('a', { env: { K: { secret: 'NOPE' } } })], [], { secrets });
    expect(story).toEqual(['a:exception']);
    expect(journal.text(0, 'header')).toContain('secret "NOPE"');
  });
});

describe('a checkout that failed', () => {
  test.each([
    ['fatal: x', { rc: 128, why: "couldn't find remote ref nope" }, "failed (couldn't find remote ref nope)"],
    ['escapes', { rc: 1, why: 'a\u001b[31mred' }, 'failed (a [31mred)'],
    ['a book', { rc: 1, why: 'x'.repeat(500) }, `failed (${'x'.repeat(200)} …)`],
    [
      'no start',
      { ended: 'notStarted' as const, rc: null, why: 'no such path' },
      '(not started: no such path)',
    ],
    ['a secret', { rc: 1, why: 'refused hunter-two' }, 'failed (refused ***)'],
    [
      'a secret where it would be cut',
      { rc: 1, why: `${'x'.repeat(195)}hunter-two` },
      `failed (${'x'.repeat(195)}***)`,
    ],
    ['nothing', { rc: 1 }, 'failed'],
  ])('says git’s own line in its state: %s', async (_, end, state) => {
    const secrets = new Map([['KEY', new Secret('hunter-two')]]);
    const { finished } = await walk([{ kind: 'git', name: 'git', repository: 'r' }], [end], { secrets });
    expect(finished[0]?.state).toMatch(/^'git checkout' /);
    expect(finished[0]?.state.endsWith(state)).toBe(true);
  });
});

describe('a command that was over before the walk asked', () => {
  test('has the time that it took, and ended when it ended', async () => {
    const { journal, finished } = await walk([shell('a')], [{ rc: 1, tookMs: 8_200, agoMs: 61_800 }]);
    expect(journal.text(0, 'header')).toContain('exit code 1 after 8.2 s');
    expect(finished[0]?.at).toBeCloseTo(1_000 - 61.8);
  });
});

describe('a cancel', () => {
  test('ends the running step; only alwaysRun steps follow', async () => {
    const cancel = new AbortController();
    const running: Act = (command, options) => {
      queueMicrotask(() => cancel.abort());
      return (untilCancelled as Extract<Act, (...args: never[]) => unknown>)(command, options);
    };
    const { story, result, last } = await walk(
      [shell('a', { alwaysRun: true }), shell('b'), shell('c', { alwaysRun: true })],
      [running],
      { signal: cancel.signal },
    );
    expect(story).toEqual(['a:cancelled', 'c:success']);
    expect(result).toBe('cancelled');
    expect(last).toMatchObject({ state: 'build cancelled' });
  });

  test('gives alwaysRun steps a limited time', async () => {
    const { story, result } = await walk(
      [shell('a'), shell('b', { alwaysRun: true }), shell('c', { alwaysRun: true })],
      [untilCancelled],
      { signal: AbortSignal.abort(), cancelGraceMs: 20 },
    );
    expect(story).toEqual(['b:cancelled']);
    expect(result).toBe('cancelled');
  });

  test('followed by a stop ends them too', async () => {
    const stop = new AbortController();
    const running: Act = (command, options) => {
      queueMicrotask(() => stop.abort());
      return (untilCancelled as Extract<Act, (...args: never[]) => unknown>)(command, options);
    };
    const { story } = await walk(
      [shell('a', { alwaysRun: true }), shell('b', { alwaysRun: true })],
      [running],
      {
        signal: AbortSignal.abort(),
        stop: stop.signal,
      },
    );
    expect(story).toEqual(['a:cancelled']);
  });

  test('that comes when a step ends by itself still counts for the build', async () => {
    const cancel = new AbortController();
    const { story, result } = await walk(
      [shell('a')],
      [
        async () => {
          cancel.abort();
          return {};
        },
      ],
      { signal: cancel.signal },
    );
    expect(story).toEqual(['a:success']);
    expect(result).toBe('cancelled');
  });
});

describe('a journal that fails', () => {
  test.each(['write', 'event'] as const)('at %s ends the walk with its error', async (where) => {
    const full = new Error('disk full');
    const journal = memoryJournal();
    const broken = {
      ...journal,
      event: (event: Parameters<typeof journal.event>[0]) =>
        where === 'event' && event.type === 'stepFinished' ? Promise.reject(full) : journal.event(event),
      log: (step: number, name: string) => ({
        ...journal.log(step, name),
        ...(where === 'write' ? { write: () => Promise.reject(full) } : {}),
      }),
    };
    await expect(walk([shell('a')], [says([['stdout', 'x']])], { journal: broken })).rejects.toBe(full);
  });
});

describe('a walk that goes on behind what its journal holds', () => {
  const steps = [
    shell('a', { env: {} }),
    shell('b', { command: ['run', '${{ found }}'] }),
    shell('fails', { haltOnFailure: true }),
    shell('never'),
    shell('always', { alwaysRun: true }),
  ];
  const byName: Record<string, Act> = { a: { properties: { found: 'x' } }, fails: { rc: 1 } };
  const walkOn = async (past?: RunOptions['past']) => {
    const asked: string[] = [];
    const act: Act = async (command) => {
      const name = command.kind === 'shell' ? (command.command[1] ?? '') : '';
      asked.push(name);
      return (byName[name] ?? {}) as Partial<CommandResult>;
    };
    const walked = await walk(
      steps,
      steps.map(() => act),
      { past },
    );
    return { ...walked, asked };
  };

  test('comes to the same events and the same result, wherever it was stopped', async () => {
    const whole = await walkOn();
    const { events } = whole.journal;
    expect(whole.asked).toEqual(['a', 'x', 'fails', 'always']);
    for (let cut = 0; cut < events.length; cut += 1) {
      const rest = await walkOn(events.slice(0, cut));
      expect([...events.slice(0, cut), ...rest.journal.events]).toEqual(events);
      expect(rest.result).toBe(whole.result);
      const ended = events.slice(0, cut).filter(({ type }) => type === 'stepFinished').length;
      expect(rest.asked).toEqual(whole.asked.slice(ended));
    }
  });

  test('asks for the open step also when the build was stopped meanwhile, so that its end is told', async () => {
    const { events } = (await walkOn()).journal;
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    const past = events.slice(0, 2);
    const { story, last } = await walk(steps, [untilCancelled], {
      past,
      signal: stop.signal,
      stop: stop.signal,
    });
    expect(story).toEqual(['a:cancelled']);
    expect(last?.type).toBe('buildFinished');
  });
});
