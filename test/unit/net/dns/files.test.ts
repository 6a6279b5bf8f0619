import { describe, expect, it } from 'vitest';
import { addressesInHosts, parseHostsFile } from '../../../../src/net/dns/hosts-file.ts';
import { parseResolvConf } from '../../../../src/net/dns/resolv-conf.ts';

describe('parseResolvConf', () => {
  it('reads nameservers, the last search list and options, and keeps what nobody understands', () => {
    const text = [
      '# made by hand',
      'nameserver 10.0.0.53',
      'nameserver  fe80::1%eth0',
      'domain old.example',
      'search example sub.example',
      'options ndots:2 timeout:1 attempts:9 rotate',
      'nameserver not-an-address',
      'nameservr 10.0.0.54',
    ].join('\n');
    expect(parseResolvConf(text)).toEqual({
      nameservers: ['10.0.0.53', 'fe80::1%eth0'],
      search: ['example', 'sub.example'],
      ndots: 2,
      timeoutSeconds: 1,
      attempts: 5,
      options: ['ndots:2', 'timeout:1', 'attempts:9', 'rotate'],
      strange: [
        { line: 7, text: 'nameserver not-an-address' },
        { line: 8, text: 'nameservr 10.0.0.54' },
      ],
    });
  });

  it('has the defaults of the system for an empty file', () => {
    expect(parseResolvConf('')).toMatchObject({ nameservers: [], ndots: 1, timeoutSeconds: 5, attempts: 2 });
  });
});

describe('parseHostsFile', () => {
  const lines = parseHostsFile(
    [
      '127.0.0.1\tlocalhost',
      '::1 localhost ip6-localhost # both',
      '127.0.1.1 Box.example box',
      '',
      'nonsense here',
      '2001:DB8:0::2 box',
      '10.0.0.1',
    ].join('\n'),
  );

  it('finds every address of a name, whatever its case and closing dot', () => {
    expect(addressesInHosts(lines, 'localhost')).toEqual(['127.0.0.1', '::1']);
    expect(addressesInHosts(lines, 'BOX.')).toEqual(['127.0.1.1', '2001:db8::2']);
    expect(addressesInHosts(lines, 'nonsense')).toEqual([]);
  });

  it('tells the line of each entry', () => {
    expect(lines.map(({ line }) => line)).toEqual([1, 2, 3, 6]);
  });
});
