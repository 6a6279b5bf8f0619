import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BbxError } from '../../../../src/base/error.ts';
import { Secret } from '../../../../src/base/secret.ts';
import { parseJoin, printJoin } from '../../../../src/protocol/bbx/join.ts';
import type { Join } from '../../../../src/protocol/bbx/join.ts';

const join: Join = {
  pins: [`sha256:${'A'.repeat(43)}`],
  reach: ['farm.example:9989', '[2001:db8::2]:9989'],
  secret: new Secret('0123456789abcdef0123456789abcdef'),
  uses: 1,
  expires: 1_800_000_000,
  names: 'linux-1',
};

function codeOf(text: string): string {
  try {
    parseJoin(text);
  } catch (error) {
    if (error instanceof BbxError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('a join string', () => {
  it('comes back as it was, also with the spaces of copying', () => {
    const text = printJoin(join);
    expect(text).toMatch(/^bbx1\.[A-Za-z0-9_-]+$/);
    for (const given of [text, `  ${text.slice(0, 40)}\n  ${text.slice(40)}\r\n`]) {
      const back = parseJoin(given);
      expect({ ...back, secret: back.secret.reveal() }).toEqual({ ...join, secret: join.secret.reveal() });
    }
  });

  it('with any one character changed or missing is found out', () => {
    const text = printJoin(join);
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: text.length - 1 }),
        fc.constantFrom('', 'A', 'x', '_', '!'),
        (at, other) => {
          fc.pre(text[at] !== other);
          const changed = text.slice(0, at) + other + text.slice(at + 1);
          // The last character may hold bits that stand for nothing.
          fc.pre(!Buffer.from(changed.slice(5), 'base64url').equals(Buffer.from(text.slice(5), 'base64url')));
          expect(codeOf(changed)).toMatch(/^BBX-PRO-JOIN /);
        },
      ),
    );
  });

  it.each([
    ['', 'it is empty'],
    ['hello', 'does not begin with "bbx1."'],
    ['bbx2.AAAA', 'form 2 is newer'],
    ['bbx1.ab cd!', 'character 10 cannot stand in it'],
    ['bbx1.AAAAAAAA', 'its checksum is wrong'],
    ['x'.repeat(9_000), 'longer than 8192'],
  ])('of the form %j is refused in words', (text, words) => {
    expect(codeOf(text)).toContain(words);
  });

  it('never shows its secret in an error', () => {
    const text = printJoin(join).slice(0, -4);
    expect(codeOf(text)).not.toContain(text.slice(30, 60));
  });
});
