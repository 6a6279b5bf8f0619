import { expect, it } from 'vitest';
import { parentsFirst } from '../../../src/exec/processes.ts';

const order = (parents: Record<number, number>, found = Object.keys(parents).map(Number)) =>
  parentsFirst(
    Object.entries(parents).map(([pid, parent]) => ({ pid: Number(pid), parent })),
    new Set(found),
  );

it('puts a shell before its child, whose pid comes first by letters', () => {
  expect(
    parentsFirst(
      [
        { pid: 10_062, parent: 9_954 },
        { pid: 9_954, parent: 77 },
      ],
      new Set([10_062, 9_954]),
    ),
  ).toEqual([9_954, 10_062]);
});

it('puts a shell before its child, whose pid has come round', () => {
  expect(order({ 310: 32_760, 32_760: 77, 311: 310 })).toEqual([32_760, 310, 311]);
});

it('gives those that were found and no others', () => {
  expect(order({ 5: 1, 6: 5, 7: 6 }, [5, 7])).toEqual([5, 7]);
});

it('loses none where pids that were given away anew make a circle', () => {
  expect(order({ 5: 6, 6: 5, 9: 1 }).sort()).toEqual([5, 6, 9]);
});
