import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/base/secret.ts';
import { createMask } from '../../../src/build/mask.ts';

const maskOf = (...values: string[]) =>
  createMask(new Map(values.map((value, index) => [`S${index}`, new Secret(value)])));

/** The output for bytes that arrive cut at the given places. */
function masked(mask: ReturnType<typeof createMask>, bytes: Buffer, cuts: readonly number[]): Buffer {
  const masker = mask.stream();
  const places = [0, ...[...cuts].sort((a, b) => a - b), bytes.length];
  const out = places
    .slice(1)
    .map((end, index) => Buffer.from(masker.push(bytes.subarray(places[index], end))));
  return Buffer.concat([...out, masker.flush()]);
}

describe('a secret is masked', () => {
  const secret = 'p&ss "wörd"/7';
  const key = '-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA75\nshort\n-----END KEY-----';
  test.each([
    ['as it is', secret, `a ${secret} b`, 'a *** b'],
    ['twice', secret, `${secret}${secret}`, '******'],
    ['without the newline at the end of its file', `${secret}\n`, `[${secret}]`, '[***]'],
    ['in JSON', secret, JSON.stringify({ x: secret }), '{"x":"***"}'],
    ['in a URL', secret, `?q=${encodeURIComponent(secret)}&`, '?q=***&'],
    ['in a form', secret, `q=${encodeURIComponent(secret).replaceAll('%20', '+')}`, 'q=***'],
    ['one line of a key alone', key, 'x MIIEpAIBAAKCAQEA75 y', 'x *** y'],
    ['a whole key', key, `<${key}>`, '<***>'],
    ['a key with other line ends', key, key.replaceAll('\n', '\r\n'), '***\r\n***\r\nshort\r\n***'],
    [
      'the password of a URL',
      'https://bot:s3cr3t%21x@git.example',
      'token s3cr3t!x and s3cr3t%21x',
      'token *** and ***',
    ],
  ])('%s', (_, value, text, expected) => {
    const mask = maskOf(value);
    // The form with other line ends is caught line by line; the short line stays, as documented.
    expect(mask.text(text)).toBe(expected);
  });

  test.each([0, 1, 2])('in Base64, %s bytes behind the start of what was encoded', (before) => {
    const value = 'correct-horse-battery';
    for (const after of ['', 'x', 'xy']) {
      const encoded = Buffer.from('u:'.repeat(3).slice(0, before) + value + after).toString('base64');
      const rest = maskOf(value).text(encoded).replace('***', '');
      // Characters of the neighbours, one that the secret shares with each, and padding.
      expect(rest.length).toBeLessThan(10);
      expect(maskOf(value).text(encoded)).toContain('***');
    }
  });

  test('overlapping secrets leave nothing of either', () => {
    expect(maskOf('abcdef', 'defghi').text('-abcdefghi-')).toBe('-***-');
    expect(maskOf('abcdef', 'abcdefgh').text('-abcdefgh-abcdefg-')).toBe('-***-***g-');
  });

  test('a value under four characters is not, and its name is told', () => {
    const mask = maskOf('abc', 'long enough');
    expect(mask.text('abc long enough')).toBe('abc ***');
    expect(mask.tooShort).toEqual(['S0']);
  });
});

describe('the stream', () => {
  test('gives the same bytes however they are cut', () => {
    const mask = maskOf('abab', 'babb', 'aabbaabb');
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'abab', 'c'), { maxLength: 60 }),
        fc.array(fc.nat(200), { maxLength: 20 }),
        (pieces, cuts) => {
          const bytes = Buffer.from(pieces.join(''));
          const whole = masked(mask, bytes, []);
          const places = cuts.map((cut) => cut % (bytes.length + 1));
          expect(masked(mask, bytes, places).toString()).toBe(whole.toString());
          expect(masked(mask, bytes, Array.from(bytes.keys())).toString()).toBe(whole.toString());
          for (const form of ['abab', 'babb', 'aabbaabb']) expect(whole.toString()).not.toContain(form);
        },
      ),
    );
  });

  test('bytes without a secret pass unchanged, whatever they are', () => {
    const mask = maskOf('a secret that never comes');
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.nat(300), { maxLength: 5 }),
        (bytes, cuts) => {
          const places = cuts.map((cut) => cut % (bytes.length + 1));
          expect(masked(mask, Buffer.from(bytes), places).equals(Buffer.from(bytes))).toBe(true);
        },
      ),
    );
  });

  test('holds back only what may be the beginning of a secret', () => {
    const masker = maskOf('secret-value').stream();
    const push = (text: string) => Buffer.from(masker.push(Buffer.from(text))).toString();
    expect(push('Password? ')).toBe('Password? ');
    expect(push('it is sec')).toBe('it is ');
    expect(push('ond')).toBe('second');
    expect(push('secret-valu')).toBe('');
    expect(Buffer.from(masker.flush()).toString()).toBe('secret-valu');
  });

  test('without secrets the very same bytes are handed on', () => {
    const bytes = Buffer.from('anything');
    expect(maskOf().stream().push(bytes)).toBe(bytes);
  });
});
