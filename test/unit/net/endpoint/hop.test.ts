import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BbxError } from '../../../../src/base/error.ts';
import { parseHop, printHop } from '../../../../src/net/endpoint/hop.ts';

describe('parseHop', () => {
  it.each([
    ['ssh:me@common.example', 'ssh:me@common.example'],
    ['ssh:common.example', 'ssh:common.example'],
    ['ssh://me@[2001:db8::2]:2222/', 'ssh:me@[2001:db8::2]:2222'],
    ['socks5://proxy', 'socks5://proxy:1080'],
    ['http://proxy:3128', 'http://proxy:3128'],
    ['http://proxy/', 'http://proxy:80'],
    ['https://proxy', 'https://proxy:443'],
    ['relay://relay.example/farm', 'relay://relay.example:443/farm'],
  ])('reads %s and prints %s', (text, printed) => {
    const hop = parseHop(text);
    expect(printHop(hop)).toBe(printed);
    expect(parseHop(printed)).toEqual(hop);
  });

  it.each([
    ['', 1, 'empty'],
    ['proxy:3128', 1, 'no kind of hop'],
    ['sock5://proxy', 1, 'did you mean socks5'],
    ['http:proxy', 6, 'two slashes'],
    ['http://proxy/path', 13, 'no path'],
    ['socks5://me:secret@proxy', 10, 'must not stand'],
    ['ssh:me:secret@host', 5, 'must not stand'],
    ['ssh:-oProxyCommand=x@host', 5, 'no name of a user'],
    ['ssh:me@-oX', 8, 'no part of a name'],
    ['ssh:', 5, 'host is empty'],
  ])('refuses %j at column %d: %s', (text, column, problem) => {
    let caught: unknown;
    try {
      parseHop(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(BbxError);
    expect(caught).toMatchObject({ code: 'BBX-NET-HOP', exit: 2, data: { column } });
    expect((caught as BbxError).message).toContain(problem);
    expect((caught as BbxError).message).not.toContain('secret');
  });

  it('reads or refuses any text, and crashes at none', () => {
    const part = fc.constantFrom(
      'ssh:',
      'http',
      '://',
      '@',
      ':',
      '[',
      ']',
      '::1',
      'a',
      '-',
      '/',
      '?',
      '%',
      'relay',
      '1',
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
        (wild) => {
          try {
            const hop = parseHop(wild);
            expect(parseHop(printHop(hop))).toEqual(hop);
          } catch (error) {
            expect(error).toBeInstanceOf(BbxError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
