import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPattern, matchesAny, matchesPattern } from '../../../src/base/pattern.ts';

describe('a pattern', () => {
  it.each([
    ['w1', 'w1', true],
    ['w1', 'w10', false],
    ['*', '', true],
    ['*', 'feature/x', true],
    ['vps-*', 'vps-', true],
    ['vps-*', 'vps-7', true],
    ['vps-*', 'xvps-7', false],
    ['*-eu', 'a-eu', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a**c', 'abc', true],
    ['a.c', 'abc', false],
    ['*ab*ab', 'ab', false],
    ['*ab*ab', 'abab', true],
  ])('%s and %s: %s', (pattern, text, fits) => {
    expect(matchesPattern(pattern, text)).toBe(fits);
  });

  it('fits what a regular expression would say', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    const word = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(letters, word, (pattern, text) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text);
        expect(matchesPattern(pattern, text)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is what holds a star; without one it means itself', () => {
    expect([isPattern('vps-*'), isPattern('vps-1')]).toEqual([true, false]);
  });
});

describe('a list of patterns', () => {
  it.each([
    [[], 'main', true],
    [['main'], 'main', true],
    [['main', 'release/*'], 'release/1/2', true],
    [['main', 'release/*'], 'feature', false],
  ])('%j and %s: %s', (patterns, text, fits) => {
    expect(matchesAny(patterns, text)).toBe(fits);
  });
});
