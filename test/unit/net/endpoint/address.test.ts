import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BbxError } from '../../../../src/base/error.ts';
import type { Address } from '../../../../src/net/endpoint/address.ts';
import { parseAddress, printAddress } from '../../../../src/net/endpoint/address.ts';
import { hostname, ipv6, port } from './arbitrary.ts';

function fault(text: string): BbxError {
  try {
    parseAddress(text);
  } catch (error) {
    if (error instanceof BbxError) return error;
    throw error;
  }
  throw new Error(`${text} was read`);
}

describe('parseAddress', () => {
  it.each([
    ['host', 'host:9989'],
    ['host:1', 'host:1'],
    ['CI.Example.', 'ci.example.:9989'],
    ['_srv.example:1', '_srv.example:1'],
    ['192.0.2.10', '192.0.2.10:9989'],
    ['192.0.2.10:80', '192.0.2.10:80'],
    ['[2001:db8::2]:9989', '[2001:db8::2]:9989'],
    ['[2001:db8::2]', '[2001:db8::2]:9989'],
    ['2001:db8::2', '[2001:db8::2]:9989'],
    ['2001:DB8:0:0:1:0:0:2', '[2001:db8::1:0:0:2]:9989'],
    ['fe80::fc:ff:fe00:1', '[fe80::fc:ff:fe00:1]:9989'],
    ['2001:db8:0:0:0:0:0:1234', '[2001:db8::1234]:9989'],
    ['::', '[::]:9989'],
    ['::ffff:192.0.2.1', '[::ffff:192.0.2.1]:9989'],
    ['fe80::1%eth0', '[fe80::1%eth0]:9989'],
    ['[fe80::1%eth0.12]:12', '[fe80::1%eth0.12]:12'],
    ['tcp:host=ci.example:port=99', 'ci.example:99'],
    ['tcp:ci.example:99', 'ci.example:99'],
    ['tcp:port=99:host=ci.example', 'ci.example:99'],
    ['tcp:host=2001\\:db8\\:\\:2:port=9989', '[2001:db8::2]:9989'],
    ['tcp:host=ci.example', 'ci.example:9989'],
    ['tcp:host=ci.example:99', 'ci.example:99'],
    ['unix', 'tcp:host=unix:port=9989'],
    ['wss://ci.example/farm?x=1', 'wss://ci.example/farm?x=1'],
    ['wss://ci.example:443', 'wss://ci.example/'],
    ['WS://[::1]:8010/w', 'ws://[::1]:8010/w'],
    ['unix:/run/bbx:1.sock', 'unix:/run/bbx:1.sock'],
    ['bücher.example', 'xn--bcher-kva.example:9989'],
  ])('reads %s and prints %s', (text, printed) => {
    const address = parseAddress(text);
    expect(printAddress(address)).toBe(printed);
    expect(parseAddress(printed)).toEqual(address);
  });

  it('takes the default port of its caller', () => {
    expect(parseAddress('mail.example', { defaultPort: 25 })).toMatchObject({ port: 25 });
  });

  it.each([
    ['', 1, 'empty', ''],
    ['::1:9989', 4, 'may be a port or the last part', '[::1]:9989 or [::1:9989]'],
    ['2001:db8::1:443', 12, 'may be a port', '[2001:db8::1]:443'],
    ['::1:19989', 1, 'needs brackets', '[::1]:19989'],
    ['1:2:3:4:5:6:7:8:80', 1, 'needs brackets', '[1:2:3:4:5:6:7:8]:80'],
    ['[::1', 1, 'never closed', '[::1]'],
    ['[2001:db8::2:9989', 1, 'never closed', '[2001:db8::2]:9989'],
    ['::1]:99', 4, 'has no [', '[2001:db8::2]:9989'],
    ['[::1]99', 6, 'only a colon', '[::1]:9989'],
    ['[ci.example]:1', 1, 'brackets are for IPv6', 'ci.example:1'],
    ['[::1]:', 7, 'missing', '1 to 65535'],
    ['host:0', 6, 'no port 0', '1 to 65535'],
    ['host:65536', 6, 'no port 65536', '1 to 65535'],
    ['host:http', 6, 'not a number', '1 to 65535'],
    ['host:-1', 6, 'not a number', '1 to 65535'],
    ['host:', 6, 'missing', '1 to 65535'],
    [':9989', 1, 'host is empty', 'a name'],
    ['my host:9989', 3, 'space', 'without spaces'],
    [' host', 1, 'space', 'without spaces'],
    ['a..b', 3, 'two dots', 'a name'],
    ['-a.example', 1, 'no part of a name', 'a name'],
    ['a/b', 2, 'no host has', 'a name'],
    ['me@host:22', 3, 'no host has', 'a name'],
    ['127.1', 1, 'no IPv4 address', '192.0.2.10'],
    ['0x7f.0.0.1', 1, 'no IPv4 address', '192.0.2.10'],
    ['192.0.2.256:1', 1, 'no IPv4 address', '192.0.2.10'],
    ['fe80::1%', 9, 'zone after % is empty', 'fe80::1%eth0'],
    ['fe80::1%25eth0', 9, 'form of a URL', 'fe80::1%eth0'],
    ['fe80::1%a/b', 9, 'no zone', 'fe80::1%eth0'],
    ['fe80::1%name-that-is-too-long', 9, 'no zone', 'fe80::1%eth0'],
    ['2001:db8::1%eth0', 12, 'only link-local', '2001:db8::1'],
    ['1::2::3', 1, 'no IPv6 address', 'one ::'],
    ['tcp:9989', 5, 'host is missing', 'tcp:host='],
    ['tcp:host=x:prt=1', 16, 'did you mean port', 'tcp:host='],
    ['tcp:host=[\\:\\:1]:port=1', 10, 'brackets have no meaning', '\\:'],
    ['tcp:host=a:port=1:2', 19, 'one too many', 'tcp:host='],
    ['tcp:host=a:port=1\\', 18, 'nothing follows', '\\\\'],
    ['tls:ci.example:9989', 1, 'uses TLS by itself', 'host:9989'],
    ['https://ci.example/', 1, 'not the worker path', 'wss://ci.example/'],
    ['wsss://ci.example/', 1, 'did you mean wss', 'wss://host/path'],
    ['ws://[fe80::1%25eth0]/', 14, 'cannot name a zone', '[fe80::1%eth0]:9989'],
    ['wss://2001:db8::2/', 7, 'needs brackets here', '[2001:db8::2]'],
    ['wss://x/#y', 9, 'nothing after #', 'without'],
    ['wss://x/ä', 9, 'cannot stand in a path', '%C3%A4'],
    ['unix:relative', 6, 'absolute', 'unix:/'],
    ['unix:/a/', 8, 'directory', 'socket'],
    [`unix:/${'a'.repeat(107)}`, 6, '108 bytes', 'shorter'],
  ])('refuses %j at column %d: %s', (text, column, problem, expected) => {
    const error = fault(text);
    expect(error).toMatchObject({ code: 'BBX-NET-ADDRESS', exit: 2, data: { column } });
    expect(error.message).toContain(problem);
    expect(error.hint).toContain(expected);
  });

  it.each(['wss://me:hunter2@ci.example/', 'http://me:hunter2@proxy:1'])(
    'shows no password of %s',
    (text) => {
      const error = fault(text);
      expect(JSON.stringify([error.message, error.hint, error.data])).not.toContain('hunter2');
    },
  );

  it('reads back what it prints, for every address', () => {
    const tcp = fc.record({
      kind: fc.constant('tcp' as const),
      host: fc.oneof(hostname, ipv6, fc.ipV4()),
      port,
    });
    fc.assert(
      fc.property(tcp, (wanted) => {
        const address = parseAddress(printAddress(wanted));
        expect(parseAddress(printAddress(address))).toEqual(address);
        expect(address).toMatchObject({ kind: 'tcp', port: wanted.port });
      }),
    );
  });

  it('reads or refuses any text, and crashes at none', () => {
    const part = fc.constantFrom(
      '[',
      ']',
      ':',
      '::',
      '%',
      '/',
      '@',
      'tcp:',
      'wss://',
      'unix:',
      '\\',
      '=',
      'a',
      '1',
      ' ',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (wild) => {
        let address: Address;
        try {
          address = parseAddress(wild);
        } catch (error) {
          expect(error).toBeInstanceOf(BbxError);
          const { column } = (error as BbxError).data as { column: number };
          expect(column).toBeGreaterThanOrEqual(1);
          expect((error as BbxError).message).not.toMatch(/[\n\r\u001b]/);
          return;
        }
        expect(parseAddress(printAddress(address))).toEqual(address);
      }),
      { numRuns: 1_500 },
    );
  });
});
