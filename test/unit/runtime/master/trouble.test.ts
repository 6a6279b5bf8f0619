import { expect, it } from 'vitest';
import { silentLog } from '../../../../src/base/log.ts';
import { codes } from '../../../../src/runtime/master/codes.ts';
import { createTroubleList } from '../../../../src/runtime/master/trouble.ts';

it('shows what happened once for its time, and what goes on until it is cleared', () => {
  let now = 0;
  const clock = { wall: () => now / 1_000, monotonic: () => now };
  const trouble = createTroubleList({ clock, log: silentLog });
  const error = codes['BBX-MAS-WORKER-NOTE']({ worker: 'w', note: 'n' });
  const subjects = () => trouble.list().map(({ subject }) => subject);
  trouble.say('once', error, { forMs: 1_000 });
  trouble.say('lasting', error);
  now = 999;
  expect(subjects()).toEqual(['once', 'lasting']);
  now = 1_000;
  expect(subjects()).toEqual(['lasting']);
  expect(trouble.get('once')).toBeUndefined();
  trouble.clear('lasting');
  expect(subjects()).toEqual([]);
});
