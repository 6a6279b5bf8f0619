import { describe, expect, it } from 'vitest';
import { buildPlan, type BuildPlan } from '../../../../src/build/plan.ts';
import { whyNoFurther } from '../../../../src/runtime/worker/jobs-further.ts';
import type { LastEnd } from '../../../../src/runtime/worker/keeper/last-end.ts';

const plan = (env = {}) =>
  buildPlan.parse({
    builder: 'b',
    number: 1,
    builddir: 'b',
    steps: ['one', 'two'].map((name) => ({ kind: 'shell', name, command: name, env })),
  });
const secret = { TOKEN: { secret: 'token' } };
const last = (step: number, ended: LastEnd['end']['ended'] = 'exit', boot = 'this'): LastEnd => ({
  step,
  turns: 1,
  boot,
  end: { ended, rc: 0, signal: null, leftovers: 0, alive: [] },
});

describe('a build whose worker and keeper are gone', () => {
  it.each<[string, BuildPlan, LastEnd | undefined, RegExp | undefined, (string | null)?]>([
    ['goes on when nothing of it ran', plan(), undefined, undefined],
    ['does not begin when a power cut may have taken what ran', plan(), undefined, /started again/, 'other'],
    ['goes on when nobody noted the run of the machine it came in', plan(), undefined, undefined, null],
    ['goes on behind a step whose end is known', plan(), last(0), undefined],
    ['has its end when no step is left', plan(secret), last(1), undefined],
    ['cannot begin without its secrets', plan(secret), undefined, /its secrets went/],
    ['cannot go on without its secrets', plan(secret), last(0), /its secrets went .* at step "one"/],
    ['cannot go on after what its keeper ended', plan(), last(0, 'cancelled'), /no worker was there/],
    ['cannot go on in another run of the machine', plan(), last(0, 'exit', 'other'), /started again/],
    ['has its end also in another run of the machine', plan(), last(1, 'exit', 'other'), undefined],
  ])('%s', (_, given, known, expected, assignedIn = 'this') => {
    const why = whyNoFurther(given, known, { now: 'this', assignedIn: assignedIn ?? undefined });
    if (expected === undefined) expect(why).toBeUndefined();
    else expect(why).toMatch(expected);
  });
});
