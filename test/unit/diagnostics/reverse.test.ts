import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as packet from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { isWithin } from '../../../src/net/address-kind.ts';
import { readReverse } from '../../../src/diagnostics/doors/reverse.ts';
import { report, target } from './recorded.ts';
import { dual, V4, V6 } from './usual.ts';

const ADDRESS = '192.0.2.7';

/** What is read of an address whose name is `ci.example`, where the nameserver answers for that name with `forward`: addresses, or an RCODE. */
async function read(forward: string[] | number) {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => {
    const { id, questions = [] } = packet.decode(bytes);
    const [asked] = questions;
    const name = asked?.name ?? '';
    const answers: packet.Answer[] =
      asked?.type === 'PTR'
        ? [{ type: 'PTR', name, ttl: 60, data: 'ci.example' }]
        : Array.isArray(forward)
          ? forward.map((data) => ({ type: 'A' as const, name, ttl: 60, data }))
          : [];
    const flags = asked?.type !== 'PTR' && typeof forward === 'number' ? forward : 0;
    socket.send(packet.encode({ type: 'response', id: id ?? 0, flags, questions, answers }), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    const servers = [{ address: '127.0.0.1', port: socket.address().port }];
    return await readReverse(ADDRESS, AbortSignal.timeout(20_000), servers);
  } finally {
    socket.close();
  }
}

describe('the name of an address', () => {
  it.each<[string, string[] | number, string]>([
    ['has it', [ADDRESS], 'names'],
    ['has another', ['192.0.2.8'], 'names'],
    ['is not there', 3, 'names'],
    ['is not told by a nameserver that fails', 2, 'unknown'],
  ])('%s', async (_title, forward, outcome) => {
    expect((await read(forward)).outcome).toBe(outcome);
  });

  it('is told apart from that of another address', async () => {
    const { report: got } = await report({
      topic: 'dns',
      names: [dual],
      subjects: [target('ci.example', { port: undefined, protocol: 'tcp', plane: 'other' })],
      system: {
        reverse: {
          [V6]: { outcome: 'none', names: [] },
          [V4]: { outcome: 'names', names: [{ name: 'old.example', addresses: ['11.0.0.9'] }] },
        },
      },
    });
    const told = got.findings.find(({ id }) => id === 'DNS-14');
    expect(told?.title).toBe(`${V6} has no name in DNS (PTR)`);
  });
});

describe('a prefix', () => {
  it.each([
    ['2001:db8:0:1::9', '2001:0db8::1', 48, true],
    ['2001:db8:1::9', '2001:db8::1', 48, false],
    ['192.0.2.7', '192.0.2.200', 24, true],
    ['192.0.3.7', '192.0.2.7', 24, false],
    ['192.0.2.7', '2001:db8::1', 0, false],
    ['ci.example', '192.0.2.7', 24, false],
  ])('%s with %s/%i: %s', (address, prefix, bits, expected) => {
    expect(isWithin(address, prefix, bits)).toBe(expected);
  });
});
