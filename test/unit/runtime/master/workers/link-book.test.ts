import { expect, it } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import { silentLog } from '../../../../../src/base/log.ts';
import { createSteadyClock } from '../../../../../src/base/steady-clock.ts';
import type { MasterSession } from '../../../../../src/protocol/bbx/master-contract.ts';
import type { Farm } from '../../../../../src/runtime/master/events.ts';
import { openLinkBook } from '../../../../../src/runtime/master/workers/link-book.ts';
import type { Worker } from '../../../../../src/runtime/master/workers/roster.ts';
import { codes } from '../../../../../src/store/codes.ts';

/** A book over a farm whose transactions end as `change` says; with a hundred sessions in it. */
async function bookOf(change: () => Promise<void>) {
  const farm = { store: { write: () => Promise.resolve() }, change } as never as Farm;
  const steady = createSteadyClock(systemClock);
  const book = await openLinkBook({ farm, clock: systemClock, steady, log: silentLog });
  for (let workerid = 1; workerid <= 100; workerid += 1) {
    const of = { id: 's', boot: 'b', peer: '[::1]:1' };
    book.open({ workerid, name: `w${workerid}` } as Worker, {} as MasterSession, of);
  }
  return book;
}

it('keeps its pages while the store takes nothing, and asks it once for all', async () => {
  let asked = 0;
  let away = true;
  const book = await bookOf(() => {
    asked += 1;
    return away ? Promise.reject(codes['BBX-STO-AWAY']({ store: 's', problem: 'gone' })) : Promise.resolve();
  });
  await book.settled();
  expect(asked).toBe(1);
  away = false;
  await book.settled();
  expect(asked).toBe(2);
  await book.stop();
  expect(asked).toBe(2);
});

it('ends while the store takes nothing', async () => {
  let asked = 0;
  const book = await bookOf(() => {
    asked += 1;
    return Promise.reject(codes['BBX-STO-AWAY']({ store: 's', problem: 'gone' }));
  });
  await book.stop();
  const then = asked;
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(asked).toBe(then);
});
