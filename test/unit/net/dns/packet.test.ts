import * as judge from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readName, writeName } from '../../../../src/net/dns/name.ts';
import { decodeResponse, encodeQuery } from '../../../../src/net/dns/packet.ts';

const answer = (part: Partial<judge.Packet>) =>
  judge.encode({
    type: 'response',
    id: 7,
    questions: [{ type: 'AAAA', name: 'ci.example' }],
    ...part,
  });

describe('encodeQuery', () => {
  it('asks what another implementation reads as the same question', () => {
    const packet = judge.decode(encodeQuery(513, 'CI.example.', 'AAAA'));
    expect(packet).toMatchObject({
      id: 513,
      type: 'query',
      flag_rd: true,
      questions: [{ name: 'CI.example', type: 'AAAA', class: 'IN' }],
      additionals: [{ type: 'OPT', udpPayloadSize: 1232 }],
    });
  });

  it.each(['a..b', `${'a'.repeat(64)}.example`, Array.from({ length: 130 }, () => 'a').join('.')])(
    'refuses the name %s',
    (name) => {
      expect(() => encodeQuery(1, name, 'A')).toThrow(RangeError);
    },
  );
});

describe('decodeResponse', () => {
  it('reads the records that another implementation writes, with compressed names', () => {
    const bytes = answer({
      answers: [
        { type: 'CNAME', name: 'ci.example', ttl: 60, data: 'host.ci.example' },
        { type: 'AAAA', name: 'host.ci.example', ttl: 30, data: '2001:db8:0:0::2' },
        { type: 'A', name: 'host.ci.example', ttl: 30, data: '192.0.2.10' },
        { type: 'TXT', name: 'host.ci.example', ttl: 30, data: 'not ours' },
      ],
      authorities: [
        {
          type: 'SOA',
          name: 'example',
          ttl: 5,
          data: {
            mname: 'ns.example',
            rname: 'root.example',
            serial: 1,
            refresh: 2,
            retry: 3,
            expire: 4,
            minimum: 5,
          },
        },
      ],
    });
    expect(decodeResponse(bytes)).toEqual({
      id: 7,
      rcode: 'NOERROR',
      truncated: false,
      question: { name: 'ci.example', type: 28 },
      answers: [
        { name: 'ci.example', type: 'CNAME', ttlSeconds: 60, value: 'host.ci.example' },
        { name: 'host.ci.example', type: 'AAAA', ttlSeconds: 30, value: '2001:db8::2' },
        { name: 'host.ci.example', type: 'A', ttlSeconds: 30, value: '192.0.2.10' },
      ],
      authorities: [{ name: 'example', type: 'SOA', ttlSeconds: 5, value: 'ns.example' }],
    });
  });

  it.each([
    [0, 'NOERROR'],
    [2, 'SERVFAIL'],
    [3, 'NXDOMAIN'],
    [5, 'REFUSED'],
    [11, 'RCODE11'],
  ])('reads the code %d as %s', (flags, rcode) => {
    expect(decodeResponse(answer({ flags })).rcode).toBe(rcode);
  });

  it.each([
    ['an answer of eleven bytes', Buffer.alloc(11)],
    ['a question', encodeQuery(1, 'ci.example', 'A')],
    [
      'an answer that is cut in a record',
      answer({ answers: [{ type: 'A', name: 'ci.example', data: '192.0.2.1' }] }).subarray(0, -1),
    ],
    ['a thousand records', Object.assign(Buffer.alloc(12), { 2: 0x80, 6: 3, 7: 0xe8 })],
  ])('refuses %s', (_title, bytes) => {
    expect(() => decodeResponse(bytes)).toThrow(RangeError);
  });

  it('reads or refuses any bytes in bounded time, and crashes at none', () => {
    const whole = answer({
      answers: [
        { type: 'CNAME', name: 'ci.example', data: 'host.ci.example' },
        { type: 'AAAA', name: 'host.ci.example', data: '2001:db8::2' },
      ],
    });
    const mutated = fc
      .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
      .map((changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const any = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, any), (bytes) => {
        try {
          decodeResponse(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('readName', () => {
  it.each([
    ['a pointer at itself', [0xc0, 0], 0],
    ['two pointers at each other', [0xc0, 2, 0xc0, 0], 2],
    ['a pointer forwards', [0xc0, 2, 0], 0],
    ['a label that runs out', [5, 97], 0],
    ['half a pointer', [0xc0], 0],
    ['a label of an unknown kind', [0x40, 0], 0],
    ['nothing', [], 0],
  ])('refuses %s', (_title, bytes, start) => {
    expect(() => readName(Buffer.from(bytes), start)).toThrow(RangeError);
  });

  it('refuses a name of more than 255 bytes made of pointers', () => {
    const label = Buffer.from([63, ...Buffer.alloc(63, 97)]);
    const bytes = Buffer.concat([label, label, label, label, Buffer.from([0]), Buffer.from([0xc0, 0])]);
    expect(() => readName(bytes, bytes.length - 2)).toThrow('too long');
  });

  it('escapes what would look like something else', () => {
    const label = Buffer.from('a.b\u001b', 'latin1');
    expect(readName(Buffer.from([label.length, ...label, 0]), 0).name).toBe('a\\046b\\027');
  });

  it('reads back every name that it writes', () => {
    fc.assert(
      fc.property(fc.domain(), (name) => {
        const bytes = writeName(name);
        expect(readName(bytes, 0)).toEqual({ name: name.toLowerCase(), next: bytes.length });
      }),
    );
  });
});
