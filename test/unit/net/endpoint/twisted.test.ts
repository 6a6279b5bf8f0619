import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeTwisted, parseTwisted, twistedArgument } from '../../../../src/net/endpoint/twisted.ts';

const bare = ({ kind, arguments: all }: ReturnType<typeof parseTwisted>) => ({
  kind,
  arguments: all.map(({ name, value }) => (name === undefined ? [value] : [name, value])),
});

describe('parseTwisted', () => {
  // What Twisted's own parser makes of each.
  it.each([
    ['tcp:8010', { kind: 'tcp', arguments: [['8010']] }],
    ['tcp:8010:interface=\\:\\:', { kind: 'tcp', arguments: [['8010'], ['interface', '::']] }],
    [
      'tcp:host=a:port=1',
      {
        kind: 'tcp',
        arguments: [
          ['host', 'a'],
          ['port', '1'],
        ],
      },
    ],
    ['ssl:443:privateKey=a=b', { kind: 'ssl', arguments: [['443'], ['privateKey', 'a=b']] }],
    ['unix:C\\:\\\\x', { kind: 'unix', arguments: [['C:\\x']] }],
    ['a\\=b:c', { kind: 'a=b', arguments: [['c']] }],
    ['tcp', { kind: 'tcp', arguments: [] }],
    ['', { kind: '', arguments: [] }],
    ['tcp:', { kind: 'tcp', arguments: [['']] }],
  ])('reads %j', (text, expected) => {
    expect(bare(parseTwisted(text))).toEqual(expected);
  });

  it('refuses a backslash that escapes nothing', () => {
    expect(() => parseTwisted('tcp:1\\')).toThrow('nothing follows');
  });

  it('tells where each value stands', () => {
    const endpoint = parseTwisted('tcp:8010:interface=\\:\\:');
    expect(twistedArgument(endpoint, 'interface', 1)).toMatchObject({ at: 19, value: '::' });
    expect(twistedArgument(endpoint, 'port', 0)).toMatchObject({ at: 4, value: '8010' });
  });

  it('escapes an address as the configuration wants it', () => {
    expect(escapeTwisted('2001:db8::2')).toBe('2001\\:db8\\:\\:2');
  });

  it('reads back every value that was escaped', () => {
    const word = fc.string({ unit: fc.constantFrom(':', '=', '\\', 'a', '1', ' ', 'ü') });
    fc.assert(
      fc.property(word, (host) => {
        const endpoint = parseTwisted(`tcp:host=${escapeTwisted(host)}:port=1`);
        expect(bare(endpoint)).toEqual({
          kind: 'tcp',
          arguments: [
            ['host', host],
            ['port', '1'],
          ],
        });
      }),
    );
  });
});
