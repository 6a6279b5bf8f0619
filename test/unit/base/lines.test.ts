import { describe, expect, it } from 'vitest';
import { words, wrap } from '../../../src/base/lines.ts';

describe('a text that is wrapped', () => {
  it.each([
    [
      'Invite one: bbx worker add NAME --dir /srv/farm',
      ['Invite', 'one:', 'bbx worker add NAME --dir /srv/farm'],
    ],
    ['Look: bbx status --dir /m. Ctrl-C stops', ['Look:', 'bbx status --dir /m.', 'Ctrl-C', 'stops']],
    ['at once: bbx worker resume w1; or wait', ['at', 'once:', 'bbx worker resume w1;', 'or', 'wait']],
    ['by "bbx change send" only', ['by', '"bbx change send"', 'only']],
    ['(bbx worker list) and', ['(bbx worker list)', 'and']],
    [
      'try: bbx builder add d --run "make docs" --tag x',
      ['try:', 'bbx builder add d --run "make docs" --tag x'],
    ],
    ['error="wait: bbx worker list" of=w1', ['error="wait:', 'bbx worker list"', 'of=w1']],
    ['so: bbx quickstart --repository . --once', ['so:', 'bbx quickstart --repository . --once']],
    ['the bbx program', ['the', 'bbx', 'program']],
  ])('keeps a command whole, and nothing else: %s', (text, pieces) => {
    expect(words(text)).toEqual(pieces);
  });

  it('has every piece of it once, in order, and no space at its breaks', () => {
    const text = 'one  two     three   four';
    for (let width = 1; width <= text.length; width += 1) {
      const lines = wrap(text, width);
      expect(lines.flatMap(words).filter((word) => word !== '')).toEqual(
        words(text).filter((word) => word !== ''),
      );
      for (const line of lines.slice(1)) expect(line).not.toMatch(/^ /);
    }
  });

  it('of a peer, however odd, is taken apart at once', () => {
    const began = performance.now();
    for (const odd of [': bbx a="', ': bbx ', ' ', 'bbx ', '\'\\"']) words(`: bbx ${odd.repeat(20_000)}`);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});
