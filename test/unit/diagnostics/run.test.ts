import { describe, expect, it } from 'vitest';
import type { Check, CheckContext, Judgement } from '../../../src/diagnostics/check.ts';
import { fold } from '../../../src/diagnostics/fold.ts';
import { AUTO } from '../../../src/diagnostics/intent.ts';
import { gate, once } from '../../../src/diagnostics/asking.ts';
import type { Probes } from '../../../src/diagnostics/probes.ts';
import { exitOf, makeReport } from '../../../src/diagnostics/report.ts';
import { runChecks } from '../../../src/diagnostics/run.ts';
import { HOST } from '../../../src/diagnostics/subject.ts';
import { host } from './recorded.ts';

const context: CheckContext = { intent: AUTO, subjects: [HOST], topic: undefined, probes: {} as Probes };
const bad = (title: string, status: 'error' | 'warn' = 'error'): Judgement => ({
  drafts: [{ status, title, evidence: [] }],
});
const fine: Judgement = { drafts: [] };

function check(id: string, run: () => Promise<Judgement> | Judgement, more: Partial<Check> = {}): Check {
  return { id, title: id, about: 'host', topics: [], needs: [], run: async () => run(), ...more };
}

async function run(checks: Check[], budgetMs = 1_000) {
  const outcomes = await runChecks({ checks, context, budgetMs, signal: new AbortController().signal });
  return makeReport({ checks, outcomes, verdicts: [], vantage: 'here', host: host(), paths: [] });
}

describe('a run of checks', () => {
  it('makes a crash the result of that check alone', async () => {
    const { report } = await run([
      check('A-01', () => {
        throw new TypeError('boom');
      }),
      check('A-02', () => fine),
    ]);
    expect(report.checks.map(({ status }) => status)).toEqual(['unknown', 'ok']);
    expect(report.checks[0]?.because).toContain('boom');
    expect(report.findings).toMatchObject([{ id: 'A-01', status: 'unknown' }]);
  });

  it('skips what needs a failed check, and names the root', async () => {
    let asked = false;
    const { report } = await run([
      check('A-03', () => ((asked = true), fine), { needs: ['A-02'] }),
      check('A-02', () => fine, { needs: ['A-01'] }),
      check('A-01', () => bad('it is broken')),
    ]);
    expect(asked).toBe(false);
    expect(report.checks).toMatchObject([
      { id: 'A-03', status: 'skip', because: 'A-01' },
      { id: 'A-02', status: 'skip', because: 'A-01' },
      { id: 'A-01', status: 'error' },
    ]);
    expect(report.findings).toHaveLength(1);
  });

  it('asks nothing of what waits for a check that was not done in time', async () => {
    const { report, mustKnow } = await run(
      [
        check('A-01', () => new Promise<Judgement>(() => undefined), { rung: 'R2' }),
        check('A-02', () => fine, { needs: ['A-01'] }),
      ],
      50,
    );
    expect(report.checks).toMatchObject([{ status: 'unknown' }, { status: 'skip', because: 'A-01' }]);
    expect(report.findings).toHaveLength(1);
    expect(mustKnow).toBe(true);
  });

  it('goes on when a needed check only warns', async () => {
    const { report } = await run([
      check('A-01', () => bad('odd', 'warn')),
      check('A-02', () => fine, { needs: ['A-01'] }),
    ]);
    expect(report.checks[1]?.status).toBe('ok');
  });

  it('folds effects under their root, over several steps, and makes the root as grave as they are', async () => {
    const { report } = await run([
      check('A-03', () => bad('effect of an effect'), { causes: ['A-02'] }),
      check('A-02', () => bad('effect'), { causes: ['A-01'] }),
      check('A-01', () => bad('root', 'warn')),
    ]);
    expect(report.findings).toMatchObject([{ id: 'A-01', status: 'error', explains: ['A-02', 'A-03'] }]);
    expect(report.summary).toMatchObject({ error: 1, skip: 2 });
    expect(report.checks[0]).toMatchObject({ status: 'skip', because: 'A-01' });
  });

  it('does not lose itself where two checks name each other as cause', async () => {
    const { report } = await run([
      check('A-01', () => bad('one'), { causes: ['A-02'] }),
      check('A-02', () => bad('two'), { causes: ['A-01'] }),
    ]);
    expect(report.findings.length).toBeGreaterThan(0);
  });

  it('ends at its budget however many checks hang', async () => {
    const never = new Promise<Judgement>(() => undefined);
    const started = performance.now();
    const { report, mustKnow } = await run(
      [
        ...Array.from({ length: 20 }, (_, index) => check(`H-${index}`, () => never, { rung: 'R2' })),
        check('A-01', () => fine),
      ],
      200,
    );
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(report.summary).toMatchObject({ unknown: 20, ok: 1 });
    expect(mustKnow).toBe(true);
    expect(report.verdict).toBe('unknown');
  });

  it('ends with the reason of an abort', async () => {
    const controller = new AbortController();
    const hanging = runChecks({
      checks: [check('A-01', () => new Promise<Judgement>(() => undefined))],
      context,
      budgetMs: 10_000,
      signal: controller.signal,
    });
    controller.abort(new Error('Ctrl-C'));
    await expect(hanging).rejects.toThrow('Ctrl-C');
  });

  it('puts the gravest first, and of equals those that explain more', async () => {
    const { report } = await run([
      check('A-01', () => bad('warned', 'warn')),
      check('A-02', () => bad('alone')),
      check('A-03', () => bad('root')),
      check('A-04', () => bad('effect'), { causes: ['A-03'] }),
    ]);
    expect(report.findings.map(({ id }) => id)).toEqual(['A-03', 'A-02', 'A-01']);
  });
});

describe('exit codes', () => {
  const warn = [check('A-01', () => bad('odd', 'warn'))];
  const error = [check('A-01', () => bad('broken'))];
  const unknown = [
    check('A-01', () => ({ drafts: [{ status: 'unknown' as const, title: '?', evidence: [] }] }), {
      rung: 'R0',
    }),
  ];
  const unknownFact = [
    check('A-01', () => ({ drafts: [{ status: 'unknown' as const, title: '?', evidence: [] }] })),
  ];
  const usual = { strict: false, failOn: 'error' as const };
  it.each([
    ['nothing wrong', [check('A-01', () => fine)], usual, 0],
    ['a warning', warn, usual, 0],
    ['a warning with --strict', warn, { ...usual, strict: true }, 10],
    ['a warning with --fail-on warn', warn, { ...usual, failOn: 'warn' as const }, 1],
    ['an error', error, usual, 1],
    ['an error with --strict', error, { ...usual, strict: true }, 1],
    ['an unknown rung', unknown, usual, 12],
    ['an unknown rung with --fail-on unknown', unknown, { ...usual, failOn: 'unknown' as const }, 1],
    ['an unknown fact that is no rung', unknownFact, { ...usual, strict: true }, 0],
  ])('%s', async (_title, checks, options, code) => {
    expect(exitOf(await run(checks), options)).toBe(code);
  });
});

describe('questions to the world', () => {
  it('asks each thing once', async () => {
    let count = 0;
    const ask = once<number>();
    const answers = await Promise.all([1, 2, 3].map(() => ask('a', async () => (count += 1))));
    expect(answers).toEqual([1, 1, 1]);
  });

  it('lets four in at a time, in order, and never stops at a failure', async () => {
    const through = gate(4);
    let now = 0;
    let most = 0;
    const work = Array.from({ length: 20 }, (_, index) =>
      through(async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        if (index % 3 === 0) throw new Error('failed');
        return index;
      }),
    );
    const settled = await Promise.allSettled(work);
    expect(most).toBe(4);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(13);
  });

  it('keeps an empty fold empty', () => {
    expect(fold([], 'here').findings).toEqual([]);
  });
});
