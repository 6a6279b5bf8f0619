import { describe, expect, it } from 'vitest';
import { readRuleset } from '../../../src/diagnostics/doors/nft-ruleset.ts';
import { walkRules } from '../../../src/diagnostics/doors/nft-walk.ts';
import type { FilterQuestion } from '../../../src/diagnostics/facts/packet-filter.ts';

/** As `nft -j list ruleset` writes them. */
const match = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } });
const payload = (protocol: string, field: string) => ({ payload: { protocol, field } });
const dport = (right: unknown, op?: string) => match(payload('tcp', 'dport'), right, op);
const meta = (key: string, right: unknown, op?: string) => match({ meta: { key } }, right, op);
const state = (right: unknown) => match({ ct: { key: 'state' } }, right, 'in');
const [accept, drop, back] = [{ accept: null }, { drop: null }, { return: null }];
const reject = { reject: { type: 'tcp reset' } };
const jump = (target: string) => ({ jump: { target } });
const goto = (target: string) => ({ goto: { target } });
const counter = { counter: { packets: 0, bytes: 0 } };
const FIELD = { family: 'inet', table: 'filter' };

interface Chains {
  policy?: 'accept' | 'drop';
  family?: string;
  rules: object[][];
  /** Chains that are called. */
  others?: Record<string, object[][]>;
  sets?: Record<string, unknown[]>;
  nat?: object[][];
}

function ruleset({ policy = 'accept', family = 'inet', rules, others = {}, sets = {}, nat }: Chains): string {
  const here = { family, table: 'filter' };
  const chain = (name: string, of: object[][], more: object = {}) => [
    { chain: { ...here, name, handle: 1, ...more } },
    ...of.map((expr, index) => ({ rule: { ...here, chain: name, handle: index + 2, expr } })),
  ];
  const base = (hook: string, type = 'filter') => ({ type, hook, prio: 0, policy });
  return JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { ...here, name: 'filter' } },
      ...Object.entries(sets).map(([name, elem]) => ({ set: { ...here, name, type: 'inet_service', elem } })),
      ...chain('input', rules, base('input')),
      ...Object.entries(others).flatMap(([name, of]) => chain(name, of)),
      ...(nat === undefined ? [] : chain('pre', nat, { ...base('prerouting', 'nat'), policy: 'accept' })),
    ],
  });
}

const PACKET: FilterQuestion = { hook: 'input', family: 6, port: 9989, address: null };
function walked(chains: Chains, more: Partial<FilterQuestion> = {}) {
  const read = readRuleset(ruleset(chains));
  if (read === undefined) throw new Error('the rules were not read');
  const { fate, by } = walkRules(read, { ...PACKET, ...more });
  return by === null ? fate : `${fate} by ${by.handle ?? 'policy'}`;
}

/** A usual server: what answers is let in, loopback, and some ports. */
const usual = (more: object[][] = []): Chains => ({
  policy: 'drop',
  rules: [
    [state(['established', 'related']), accept],
    [meta('iifname', 'lo'), accept],
    [match(payload('ip6', 'nexthdr'), 'ipv6-icmp'), accept],
    [dport({ set: [22, 443] }), accept],
    ...more,
  ],
});

describe('the first packet of a connection', () => {
  it.each<[string, Chains, string, Partial<FilterQuestion>?]>([
    ['no rule at all', { rules: [] }, 'open'],
    ['a policy that lets in what is named', usual(), 'dropped by policy'],
    ['its port is named', usual([[dport(9989), counter, accept]]), 'open'],
    ['its port stands in a range', usual([[dport({ range: [9000, 9999] }), accept]]), 'open'],
    ['another range', usual([[dport({ range: [9000, 9100] }), accept]]), 'dropped by policy'],
    ['all ports but one', usual([[dport(9989, '!='), accept]]), 'dropped by policy'],
    [
      'its port stands in a named set',
      { ...usual([[dport('@open'), accept]]), sets: { open: [22, { elem: { val: 9989, timeout: 60 } }] } },
      'open',
    ],
    ['a named set that is not there', usual([[dport('@open'), accept]]), 'open'],
    ['a rule that names it', { rules: [[dport(9989), drop]] }, 'dropped by 2'],
    ['a rule that refuses it', { rules: [[dport(9989), reject]] }, 'rejected by 2'],
    ['a rule of the other family', { rules: [[meta('nfproto', 'ipv4'), drop]] }, 'open'],
    ['a rule of its family', { rules: [[meta('nfproto', 'ipv6'), drop]] }, 'dropped by 2'],
    ['a header of the other family', { rules: [[match(payload('ip', 'protocol'), 'tcp'), drop]] }, 'open'],
    ['a table of the other family', { family: 'ip', rules: [[drop]] }, 'open'],
    ['a table of its family', { family: 'ip6', rules: [[drop]] }, 'dropped by 2'],
    ['another protocol', { rules: [[match(payload('udp', 'dport'), 9989), drop]] }, 'open'],
    ['not another protocol', { rules: [[match(payload('udp', 'dport'), 53, '!='), drop]] }, 'open'],
    [
      'some senders are let in',
      usual([[match(payload('ip6', 'saddr'), 'fd00::1'), dport(9989), accept]]),
      'open',
    ],
    ['some senders are dropped', { rules: [[match(payload('ip6', 'saddr'), 'fd00::1'), drop]] }, 'open'],
    [
      'at most so many a second',
      { rules: [[{ limit: { rate: 5, per: 'second' } }, accept], [drop]] },
      'open',
    ],
    [
      'each sender too often, counted in a set',
      {
        rules: [
          [
            dport(9989),
            {
              set: {
                ...{ op: 'add', elem: payload('ip6', 'saddr'), set: '@flood' },
                stmt: [{ limit: { rate: 10, burst: 5, per: 'minute', inv: true } }],
              },
            },
            drop,
          ],
        ],
      },
      'open',
    ],
    [
      'too many of one sender at once, counted in a meter',
      {
        rules: [
          [
            dport(9989),
            {
              meter: {
                ...{ key: payload('ip6', 'saddr'), name: 'm6', size: 65_535 },
                stmt: { 'ct count': { val: 20, inv: true } },
              },
            },
            reject,
          ],
        ],
      },
      'open',
    ],
    ['from one interface', usual([[meta('iifname', 'eth0'), accept]]), 'open'],
    ['from any but loopback', { rules: [[meta('iifname', 'lo', '!='), drop]] }, 'dropped by 2'],
    ['an invalid packet', { rules: [[state('invalid'), drop]] }, 'open'],
    ['a new connection', { rules: [[state({ set: ['new', 'untracked'] }), drop]] }, 'dropped by 2'],
    [
      'a new connection of which no state is kept',
      {
        policy: 'drop',
        rules: [
          [dport(9989), { notrack: null }],
          [state('untracked'), accept],
        ],
      },
      'open',
    ],
    [
      'a state that it has in neither case',
      {
        policy: 'drop',
        rules: [
          [dport(80), { notrack: null }],
          [state('established'), accept],
        ],
      },
      'dropped by policy',
    ],
    ['a broadcast', { rules: [[meta('pkttype', 'broadcast'), drop]] }, 'open'],
    [
      'a map of verdicts',
      {
        rules: [
          [
            {
              vmap: {
                key: payload('tcp', 'dport'),
                data: {
                  set: [
                    [22, accept],
                    [9989, drop],
                  ],
                },
              },
            },
          ],
        ],
      },
      'dropped by 2',
    ],
    [
      'a map of states, then the policy',
      {
        policy: 'drop',
        rules: [[{ vmap: { key: { ct: { key: 'state' } }, data: { set: [['established', accept]] } } }]],
      },
      'dropped by policy',
    ],
    [
      'a chain that is called lets it in',
      { policy: 'drop', rules: [[jump('ports')]], others: { ports: [[dport(9989), accept]] } },
      'open',
    ],
    [
      'a chain that is called sends it back',
      {
        policy: 'drop',
        rules: [[jump('ports')], [accept]],
        others: { ports: [[dport(9989), back], [drop]] },
      },
      'open',
    ],
    [
      'a chain that is called drops it',
      { rules: [[jump('ports')], [accept]], others: { ports: [[drop]] } },
      'dropped by 2',
    ],
    [
      'a chain that it goes to, and nothing behind it counts',
      { policy: 'drop', rules: [[goto('ports')], [accept]], others: { ports: [] } },
      'dropped by policy',
    ],
    ['chains in a circle', { policy: 'drop', rules: [[jump('a')]], others: { a: [[jump('a')]] } }, 'open'],
    ['a word that is not read here', { policy: 'drop', rules: [[{ xt: null }]] }, 'open'],
    ['a match that is not read here', { rules: [[{ xt: null }, drop]] }, 'open'],
    ['a verdict behind a match of unknown outcome', { rules: [[meta('mark', 7), accept], [drop]] }, 'open'],
    [
      'another port before it comes to the rules',
      { ...usual(), nat: [[dport(9989), { redirect: { port: 22 } }]] },
      'open',
    ],
    [
      'another port for others',
      { ...usual(), nat: [[dport(80), { redirect: { port: 22 } }]] },
      'dropped by policy',
    ],
    [
      'an address of this host',
      { rules: [[match(payload('ip6', 'daddr'), { prefix: { addr: '2001:db8::', len: 32 } }), drop]] },
      'dropped by 2',
      { address: '2001:db8::2' },
    ],
    [
      'another address',
      { rules: [[match(payload('ip6', 'daddr'), '2001:db8::1'), drop]] },
      'open',
      { address: '2001:db8::2' },
    ],
  ])('%s', (_title, chains, expected, more) => {
    expect(walked(chains, more)).toBe(expected);
  });

  it('says nothing of rules that nobody could follow to their end', () => {
    // Each chain calls the next twice: 2^16 ways.
    const others = Object.fromEntries(
      Array.from({ length: 16 }, (_, index) => [
        `c${index}`,
        [[jump(`c${index + 1}`)], [jump(`c${index + 1}`)]],
      ]),
    );
    expect(walked({ policy: 'drop', rules: [[jump('c0')]], others: { ...others, c16: [] } })).toBe('open');
  });

  it.each([
    '',
    '[]',
    '{}',
    '{"nftables":7}',
    '{"nftables":[{"rule":7}]}',
    `{"nftables":[{"rule":${JSON.stringify({ ...FIELD, chain: 'x' })}}]}`,
  ])('is not judged by what is no list of rules: %s', (text) => {
    expect(readRuleset(text)).toBeUndefined();
  });
});
