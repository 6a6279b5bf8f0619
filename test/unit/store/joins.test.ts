import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesNames } from '../../../src/store/joins.ts';

describe('the names of a join', () => {
  it.each([
    ['w1', 'w1', true],
    ['w1', 'w10', false],
    ['*', '', true],
    ['vps-*', 'vps-', true],
    ['vps-*', 'vps-7', true],
    ['vps-*', 'xvps-7', false],
    ['*-eu', 'a-eu', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a**c', 'abc', true],
    ['a.c', 'abc', false],
    ['*ab*ab', 'ab', false],
    ['*ab*ab', 'abab', true],
  ])('%s and %s: %s', (names, name, fits) => {
    expect(matchesNames(names, name)).toBe(fits);
  });

  it('fit as a regular expression would say', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const word = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(letters, word, (names, name) => {
        const expected = new RegExp(`^${names.replaceAll('*', '.*')}$`).test(name);
        expect(matchesNames(names, name)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});
