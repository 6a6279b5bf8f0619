import { describe, expect, it } from 'vitest';
import { createAlternation } from '../../../../../src/runtime/master/workers/alternation.ts';

/** Each `[old, newcomer, ms]` in turn; true: may replace. */
const run = (...steps: [string, string, number][]) => {
  const alternation = createAlternation();
  return steps.map(([old, boot, now]) => alternation.mayReplace('w', { boot: old }, { boot }, now));
};

describe('two processes of one name', () => {
  it('are refused when each has replaced the other twice within a minute', () => {
    expect(run(['a', 'b', 0], ['b', 'a', 1], ['a', 'b', 2], ['b', 'a', 3], ['a', 'b', 4])).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it('are refused also when a service manager gives them a new boot id each time', () => {
    expect(run(['a', 'b', 0], ['b', 'c', 1], ['c', 'd', 2], ['d', 'e', 3], ['e', 'f', 4]).at(-1)).toBe(false);
  });

  it('may try again when a minute has passed', () => {
    const steps: [string, string, number][] = [
      ['a', 'b', 0],
      ['b', 'a', 1],
      ['a', 'b', 2],
      ['b', 'a', 3],
    ];
    expect(run(...steps, ['a', 'b', 60_002]).at(-1)).toBe(true);
  });

  it('are not a process that lost its line again and again', () => {
    expect(
      run(...Array.from({ length: 20 }, (_, now): [string, string, number] => ['a', 'a', now])),
    ).not.toContain(false);
  });
});
