import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  defaultIpv6Routes,
  LISTEN,
  listenersOn,
  parseIfInet6,
  parseIpv6Routes,
  parseTcpTable,
} from '../../../src/net/proc.ts';

const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const TCP = `${HEADER}   0: 0100007F:2705 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0
   1: 0A0200C0:9C40 0A0A00C0:0050 01 00000010:00000000 02:000005A0 00000000     0        0 12346 2 0000000000000000 20 4 30 10 -1
`;
const TCP6 = `${HEADER}   0: 00000000000000000000000000000000:2705 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12347 1 0000000000000000 100 0 0 10 0
   1: B80D0120000000000000000002000000:1F4A 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12348 1 0000000000000000 100 0 0 10 0
`;

describe('parseTcpTable', () => {
  it('reads addresses, ports, states and queues of both families', () => {
    const rows = [...parseTcpTable(TCP), ...parseTcpTable(TCP6)];
    expect(rows).toMatchObject([
      {
        family: 4,
        localAddress: '127.0.0.1',
        localPort: 9989,
        state: LISTEN,
        receiveQueue: 3,
        uid: 1000,
        inode: 12345,
      },
      {
        family: 4,
        localAddress: '192.0.2.10',
        localPort: 40000,
        remoteAddress: '192.0.10.10',
        remotePort: 80,
        transmitQueue: 16,
      },
      { family: 6, localAddress: '::', localPort: 9989, state: LISTEN },
      { family: 6, localAddress: '2001:db8::2', localPort: 8010 },
    ]);
  });

  it('passes over lines of another form', () => {
    expect(parseTcpTable('nonsense\n\n  0: zz')).toEqual([]);
    fc.assert(fc.property(fc.string(), (text) => Array.isArray(parseTcpTable(text))));
  });
});

describe('listenersOn', () => {
  const rows = [...parseTcpTable(TCP), ...parseTcpTable(TCP6)];
  it.each([
    [9989, undefined, ['127.0.0.1:9989', '[::]:9989']],
    [9989, '::', ['127.0.0.1:9989', '[::]:9989']],
    [9989, '127.0.0.1', ['127.0.0.1:9989', '[::]:9989']],
    [9989, '192.0.2.10', ['[::]:9989']],
    [8010, '2001:db8::2', ['[2001:db8::2]:8010']],
    [8010, '2001:db8::3', []],
    [8010, '0.0.0.0', []],
    [40000, undefined, []],
  ])('port %d for %s is held by %j', (port, host, held) => {
    expect(listenersOn(rows, port, host)).toEqual(held);
  });
});

describe('parseIfInet6', () => {
  it('decodes scope, prefix and flags', () => {
    const text = `fe8000000000000000fc00fffe000001 04 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000002 02 40 00 48     eth1
20010db8000000000000000000000003 02 40 00 21     eth1
`;
    expect(parseIfInet6(text)).toMatchObject([
      { interface: 'eth0', address: 'fe80::fc:ff:fe00:1', scope: 'link', prefixBits: 64, tentative: false },
      { interface: 'lo', address: '::1', scope: 'host', prefixBits: 128 },
      { address: '2001:db8::2', scope: 'global', tentative: true, dadFailed: true },
      { address: '2001:db8::3', deprecated: true, temporary: true, dadFailed: false },
    ]);
  });

  it('is empty for a host without IPv6', () => {
    expect(parseIfInet6('')).toEqual([]);
  });
});

describe('parseIpv6Routes', () => {
  const text = `20010db8000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
`;
  it('finds the default route and not the reject route of the kernel', () => {
    const routes = parseIpv6Routes(text);
    expect(routes).toHaveLength(3);
    expect(routes[0]).toMatchObject({ destination: '2001:db8::', prefixBits: 64, gateway: undefined });
    expect(defaultIpv6Routes(routes)).toMatchObject([
      { gateway: 'fe80::1', interface: 'eth0', metric: 1024 },
    ]);
  });
});
