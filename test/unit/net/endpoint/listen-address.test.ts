import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BbxError } from '../../../../src/base/error.ts';
import { parseListen, printListen } from '../../../../src/net/endpoint/listen-address.ts';

describe('parseListen', () => {
  it.each([
    ['9989', '[::]:9989'],
    ['0', '[::]:0'],
    ['*:9989', '[::]:9989'],
    ['[::]:9989', '[::]:9989'],
    ['0.0.0.0:9989', '0.0.0.0:9989'],
    ['localhost:8010', 'localhost:8010'],
    ['127.0.0.1:0', '127.0.0.1:0'],
    ['[fe80::1%eth0]:9989', '[fe80::1%eth0]:9989'],
    ['tcp:9989', '[::]:9989'],
    ['tcp:9989:interface=\\:\\:', '[::]:9989'],
    ['tcp:9989:interface=', '[::]:9989'],
    ['tcp:port=9989:interface=127.0.0.1', '127.0.0.1:9989'],
    ['tcp:interface=\\:\\:1:port=9989', '[::1]:9989'],
    ['unix:/run/bbx.sock', 'unix:/run/bbx.sock'],
  ])('reads %s as %s', (text, printed) => {
    const address = parseListen(text);
    expect(printListen(address)).toBe(printed);
    expect(parseListen(printed)).toEqual(address);
  });

  it('takes the default port of its caller where none is written', () => {
    expect(parseListen('::', { defaultPort: 9989 })).toEqual({ kind: 'tcp', host: '::', port: 9989 });
    expect(parseListen('*', { defaultPort: 9989 })).toEqual({ kind: 'tcp', host: '::', port: 9989 });
  });

  it.each([
    ['', 1, 'empty'],
    ['::', 3, 'port is missing'],
    ['localhost', 10, 'port is missing'],
    [':9989', 1, 'host is empty'],
    ['ci.example:9989', 1, 'a name is not an address of this host'],
    ['99890', 1, 'no port 99890'],
    ['::1:9989', 4, 'may be a port'],
    ['http://localhost:8010', 1, 'a URL'],
    ['tcp:9989:interface=[\\:\\:]', 20, 'brackets have no meaning'],
    ['tcp:9989:interfce=\\:\\:', 19, 'did you mean interface'],
    ['tcp:9989:interface=::', 21, 'one too many'],
    ['systemd:domain=INET6:index=0', 1, 'only tcp: and unix:'],
  ])('refuses %j at column %d: %s', (text, column, problem) => {
    let caught: unknown;
    try {
      parseListen(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(BbxError);
    expect(caught).toMatchObject({ code: 'BBX-NET-LISTEN-ADDRESS', exit: 2, data: { column } });
    expect((caught as BbxError).message).toContain(problem);
  });

  it('reads or refuses any text, and crashes at none', () => {
    const part = fc.constantFrom(
      '[',
      ']',
      ':',
      '::',
      '*',
      'tcp:',
      'interface=',
      '\\',
      '=',
      'localhost',
      '1',
      '%',
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
        (wild) => {
          try {
            const address = parseListen(wild);
            expect(parseListen(printListen(address))).toEqual(address);
          } catch (error) {
            expect(error).toBeInstanceOf(BbxError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
