import { expect, it } from 'vitest';
import type { Farm } from '../../../../src/runtime/master/events.ts';
import { createTogether } from '../../../../src/runtime/master/together.ts';
import { codes } from '../../../../src/store/codes.ts';

/** A farm whose transactions keep what was written only when nothing failed. */
function farm() {
  const committed: string[] = [];
  let transactions = 0;
  let written: string[] = [];
  const change = async (act: (tx: never, emit: never) => Promise<unknown>) => {
    transactions += 1;
    written = [];
    await act(undefined as never, undefined as never);
    committed.push(...written);
  };
  const write = (text: string) => async () => {
    await Promise.resolve();
    if (text.startsWith('bad')) throw new Error(text);
    written.push(text);
  };
  return {
    committed,
    write,
    together: createTogether({ change } as never as Farm),
    count: () => transactions,
  };
}

it('writes in one transaction, and in order, what comes while another is written', async () => {
  const { together, write, committed, count } = farm();
  const names = Array.from({ length: 150 }, (_, index) => `w${index}`);
  const first = together(write('first'));
  await Promise.all([first, ...names.map((name) => together(write(name)))]);
  expect(committed).toEqual(['first', ...names]);
  expect(count()).toBe(2);
  await together(write('later'));
  expect(count()).toBe(3);
});

it('lets one that fails fail alone', async () => {
  const { together, write, committed } = farm();
  const ends = await Promise.allSettled(['a', 'bad b', 'c'].map((text) => together(write(text))));
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(committed).toEqual(['a', 'c']);
  await expect(together(write('bad alone'))).rejects.toThrow('bad alone');
});

it('asks a store that takes nothing now once for all that wait together, not once for each', async () => {
  let asked = 0;
  const change = () => {
    asked += 1;
    return Promise.reject(codes['BBX-STO-AWAY']({ store: 's', problem: 'gone' }));
  };
  const together = createTogether({ change } as never as Farm);
  const ends = await Promise.allSettled(Array.from({ length: 50 }, () => together(async () => undefined)));
  expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
  expect(asked).toBe(1);
});
