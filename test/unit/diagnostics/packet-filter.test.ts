import { describe, expect, it } from 'vitest';
import { mayStop } from '../../../src/diagnostics/doors/legacy-filter.ts';
import { readRuleset } from '../../../src/diagnostics/doors/nft-ruleset.ts';
import { walkRules } from '../../../src/diagnostics/doors/nft-walk.ts';
import type { FilterQuestion } from '../../../src/diagnostics/facts/packet-filter.ts';
import { open4, open6 } from './usual.ts';
import { listener, report, target } from './recorded.ts';

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

describe('rules that are not followed', () => {
  it.each([
    ['a policy', '*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n', true],
    ['a rule', '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 9989 -j DROP\nCOMMIT\n', true],
    [
      'a chain that is called',
      '*filter\n:INPUT ACCEPT [0:0]\n:ufw - [0:0]\n:ufw-in - [0:0]\n-A INPUT -j ufw\n-A ufw -g ufw-in\n-A ufw-in -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n',
      true,
    ],
    [
      'a rule whose comment names another target',
      '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment "was: \\" -j ACCEPT at home" -j DROP\nCOMMIT\n',
      true,
    ],
    [
      'a rule that lets pass, whose comment names one that does not',
      '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment "not -j DROP" -j ACCEPT\nCOMMIT\n',
      false,
    ],
    [
      'a target that is not known',
      '*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j SYNPROXY\nCOMMIT\n',
      true,
    ],
    [
      'what is forwarded, as docker has it',
      '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:DOCKER - [0:0]\n-A FORWARD -o docker0 -j DOCKER\n-A DOCKER -j DROP\nCOMMIT\n*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE\nCOMMIT\n',
      false,
    ],
    [
      'tables that are loaded and empty',
      '*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n',
      false,
    ],
    ['no rules at all', '', false],
  ])('may stop a packet of this host: %s', (_title, saved, expected) => {
    expect(mayStop(saved)).toBe(expected);
  });

  const bridge = (policy: 'accept' | 'drop', rules: object[][]) =>
    readRuleset(ruleset({ family: 'bridge', policy, rules }))?.bridges;
  it('are those of bridges, where they refuse something', () => {
    expect(bridge('accept', [[counter, accept]])).toBe(false);
    expect(bridge('accept', [[dport(9989), drop]])).toBe(true);
    expect(bridge('drop', [])).toBe(true);
    expect(readRuleset(ruleset({ policy: 'drop', rules: [] }))?.bridges).toBe(false);
  });

  const filterUnread = [{ what: 'iptables-legacy', families: [4 as const], command: 'iptables-legacy-save' }];
  it('leave it open whether others get in, with the command that shows them', async () => {
    const { report: got } = await report({ subjects: [listener('0.0.0.0:9989')], system: { filterUnread } });
    expect(got.findings).toMatchObject([
      {
        id: 'SVC-07',
        status: 'unknown',
        title: expect.stringContaining('iptables-legacy') as string,
        fix: [{ commands: ['sudo iptables-legacy-save'] }],
      },
    ]);
  });

  it('are no reason to doubt a connection that comes up, or one of the other family', async () => {
    const connected = await report({
      subjects: [target()],
      attempts: [open6, open4],
      system: { filterUnread },
    });
    const checks = connected.report.checks.filter(({ id }) => id === 'SVC-07');
    expect(checks).toMatchObject([
      { status: 'skip', because: expect.stringContaining('iptables-legacy') as string },
    ]);
    const six = await report({ subjects: [listener('[2a00:1::2]:9989')], system: { filterUnread } });
    expect(six.report.findings.filter(({ id }) => id === 'SVC-07')).toEqual([]);
  });
});
