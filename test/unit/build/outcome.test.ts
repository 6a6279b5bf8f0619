import { expect, test } from 'vitest';
import { foldStep } from '../../../src/build/outcome.ts';
import { shellStep } from '../../../src/build/plan.ts';
import type { Result } from '../../../src/build/results.ts';

type Row = [flags: string, step: Result, soFar: Result, build: Result, ends: boolean];

// Buildbot's table: which flags are turned from their defaults, how the step ended, the build before and after, whether it ends there.
test.each<Row>([
  ['', 'success', 'success', 'success', false],
  ['', 'success', 'failure', 'failure', false],
  ['', 'failure', 'success', 'failure', false],
  ['', 'failure', 'warnings', 'failure', false],
  ['', 'warnings', 'success', 'warnings', false],
  ['', 'warnings', 'failure', 'failure', false],
  ['', 'skipped', 'success', 'success', false],
  ['', 'skipped', 'failure', 'failure', false],
  ['', 'exception', 'failure', 'exception', true],
  ['', 'retry', 'exception', 'retry', true],
  ['', 'cancelled', 'retry', 'cancelled', true],
  ['haltOnFailure', 'failure', 'success', 'failure', true],
  ['haltOnFailure', 'warnings', 'success', 'warnings', false],
  ['!flunkOnFailure', 'failure', 'success', 'success', false],
  ['!flunkOnFailure', 'failure', 'warnings', 'warnings', false],
  ['!flunkOnFailure warnOnFailure', 'failure', 'success', 'warnings', false],
  ['!flunkOnFailure haltOnFailure', 'failure', 'success', 'success', true],
  ['warnOnFailure', 'failure', 'success', 'failure', false],
  ['flunkOnWarnings', 'warnings', 'success', 'failure', false],
  ['!warnOnWarnings', 'warnings', 'success', 'success', false],
  ['!warnOnWarnings flunkOnWarnings', 'warnings', 'success', 'failure', false],
  ['flunkOnWarnings haltOnFailure', 'warnings', 'success', 'failure', false],
  ['!flunkOnFailure', 'exception', 'success', 'exception', true],
])('%s: a step %s in a build %s makes it %s, ending it: %s', (flags, step, soFar, build, ends) => {
  const given = flags.split(' ').filter((flag) => flag !== '');
  const options = Object.fromEntries(given.map((flag) => [flag.replace('!', ''), !flag.startsWith('!')]));
  const plan = shellStep.parse({ kind: 'shell', name: 's', command: 'true', ...options });
  expect(foldStep(plan, step, { result: soFar, terminate: false })).toEqual({
    result: build,
    terminate: ends,
  });
});

test('a build that is to end goes on to its end', () => {
  const plan = shellStep.parse({ kind: 'shell', name: 's', command: 'true' });
  expect(foldStep(plan, 'success', { result: 'failure', terminate: true })).toEqual({
    result: 'failure',
    terminate: true,
  });
});
