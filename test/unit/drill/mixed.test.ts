import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstWrong } from '../../../src/drill/checks/mixed.ts';

const bytes = (text: string) => Buffer.from(text);

describe('bytes of two channels in one log', () => {
  it.each([
    ['one after the other', 'aabb', true, undefined],
    ['in turn', 'abab', true, undefined],
    ['a byte too few', 'aab', true, 3],
    ['a byte too many', 'aabbb', true, 4],
    ['another byte', 'axbb', true, 1],
    ['cut off, where that is allowed', 'ab', false, undefined],
    ['a repetition, even where it may be cut off', 'aaabb', false, 2],
    ['nothing at all, of a step that came to its end', '', true, 0],
  ])('%s', (_, got, whole, at) => {
    expect(firstWrong(bytes(got), [bytes('aa'), bytes('bb')], whole)).toBe(at);
  });

  it('fit however they are mixed, and never when one byte is missing, doubled or changed', () => {
    const channel = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 30 });
    fc.assert(
      fc.property(channel, channel, fc.infiniteStream(fc.boolean()), fc.nat(), (one, other, turns, where) => {
        const [left, right] = [[...one], [...other]];
        const mixed: string[] = [];
        while (left.length + right.length > 0) {
          const fromLeft = right.length === 0 || (left.length > 0 && turns.next().value === true);
          mixed.push((fromLeft ? left : right).shift() as string);
        }
        const check = (text: string) => firstWrong(bytes(text), [bytes(one), bytes(other)], true);
        expect(check(mixed.join(''))).toBeUndefined();
        if (mixed.length === 0) return;
        const at = where % mixed.length;
        expect(check(mixed.toSpliced(at, 1).join(''))).toBeDefined();
        expect(check(mixed.toSpliced(at, 0, mixed[at] as string).join(''))).toBeDefined();
        expect(check(mixed.toSpliced(at, 1, 'x').join(''))).toBeDefined();
      }),
      { numRuns: 200 },
    );
  });
});
