import { describe, expect, it } from 'vitest';
import { SOURCE_BUILDERS } from '../../../src/drill/builders.ts';
import { FAULTS } from '../../../src/drill/faults/table.ts';
import { planRound } from '../../../src/drill/plan.ts';
import { spread } from '../../../src/drill/report.ts';

const shape = { workers: ['w1', 'w2'], long: false, git: true };
const words = (seed: number, round: number) => {
  const { blow, asks, strikeAfterMs } = planRound(seed, round, FAULTS, shape);
  return JSON.stringify([blow.words, asks, strikeAfterMs]);
};

describe("a round's plan", () => {
  it('is the same for the same seed and number, whatever came before', () => {
    expect(words(7, 12)).toBe(words(7, 12));
    expect(words(7, 13)).not.toBe(words(7, 12));
    expect(words(8, 12)).not.toBe(words(7, 12));
  });

  it('has every fault within a thousand rounds, and mostly short ones', () => {
    const plans = Array.from({ length: 1_000 }, (_, round) => planRound(1, round, FAULTS, shape));
    expect(new Set(plans.map(({ fault }) => fault.name))).toEqual(new Set(FAULTS.map(({ name }) => name)));
    expect(plans.every(({ asks }) => asks.length >= 2 && asks[0]?.afterMs === 0)).toBe(true);
  });

  it('asks for checkouts, but not without git, nor where the fault rightly turns them red', () => {
    const asked = (git: boolean, fault?: string) =>
      Array.from({ length: 300 }, (_, round) => planRound(1, round, FAULTS, { ...shape, git }))
        .filter(({ fault: { name } }) => fault === undefined || name === fault)
        .flatMap(({ asks }) => asks.map(({ builder }) => builder));
    expect(asked(true)).toEqual(expect.arrayContaining([...SOURCE_BUILDERS]));
    expect(asked(false).filter((name) => SOURCE_BUILDERS.has(name))).toEqual([]);
    const full = asked(true, 'disk-workspace');
    expect(full.length).toBeGreaterThan(5);
    expect(full.filter((name) => SOURCE_BUILDERS.has(name))).toEqual([]);
  });

  it('names every fault once', () => {
    const names = FAULTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the spread of some numbers', () => {
  it.each([
    [[], null],
    [[null, null], null],
    [[2], { min: 2, median: 2, max: 2 }],
    [[3, null, 1], { min: 1, median: 2, max: 3 }],
    [[10, 9, 2], { min: 2, median: 9, max: 10 }],
  ])('of %j', (values, expected) => {
    expect(spread(values)).toEqual(expected);
  });
});
