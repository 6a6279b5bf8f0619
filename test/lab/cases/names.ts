import type { LabCase } from './case.ts';

const M4 = '11.0.2.2';
const M6 = '2a00:2::2';
const listening = { M: [{ host: '::', port: 9989 }] };
const reach = (name: string) => ['reach', `${name}:9989`, '--protocol', 'tcp'];

/** A name whose A is good and whose AAAA is answered so. */
const badAaaa = (
  id: string,
  title: string,
  AAAA: NonNullable<LabCase['recipe']['names']>[string]['AAAA'],
): LabCase => ({
  id,
  title,
  recipe: {
    names: { 'bad.test': { A: [M4], ...(AAAA === undefined ? {} : { AAAA }) } },
    listeners: listening,
  },
  doctor: reach('bad.test'),
  root: ['DNS-03'],
  target: 'bad.test:9989',
});

/** Names: nameservers, records, the hosts file and what else a lookup asks. */
export const NAMES: readonly LabCase[] = [
  {
    id: 'F01',
    title: 'a name with AAAA alone, and stock workers with tcp:',
    recipe: { listeners: listening },
    doctor: reach('six.test'),
    root: ['DNS-05'],
    target: 'six.test:9989',
  },
  badAaaa('F13', 'AAAA answered SERVFAIL', 'SERVFAIL'),
  badAaaa('F14', 'AAAA answered REFUSED', 'REFUSED'),
  badAaaa('F15', 'AAAA answered NXDOMAIN', 'NXDOMAIN'),
  { ...badAaaa('F16', 'AAAA never answered', 'silence'), also: ['DNS-11'] },
  { ...badAaaa('F16b', 'AAAA answered after 3 s', { afterMs: 3000, addresses: [M6] }), root: ['DNS-11'] },
  {
    id: 'F17',
    title: 'a truncated answer, and TCP works',
    recipe: {
      names: {
        'big.test': { A: { truncated: [M4], tcp: true }, AAAA: { truncated: [M6], tcp: true } },
      },
      listeners: listening,
    },
    doctor: reach('big.test'),
    root: [],
    target: 'big.test:9989',
    verdict: 'reachable',
  },
  {
    id: 'F18',
    title: 'a truncated answer, and nobody answers over TCP',
    recipe: {
      names: { 'big.test': { A: { truncated: [M4], tcp: false }, AAAA: [M6] } },
      listeners: listening,
    },
    doctor: reach('big.test'),
    root: ['DNS-12'],
    also: ['DNS-01', 'DNS-02', 'DNS-05'],
    target: 'big.test:9989',
  },
  {
    id: 'F19',
    title: 'garbage instead of an answer',
    recipe: { names: { 'garbage.test': { A: 'garbage', AAAA: 'garbage' } }, listeners: listening },
    doctor: reach('garbage.test'),
    root: ['DNS-01'],
    also: ['DNS-02'],
    target: 'garbage.test:9989',
    verdict: 'unreachable',
  },
  {
    id: 'F20',
    title: 'a name with A alone, as meant',
    recipe: {
      listeners: listening,
      files: { 'worker.yaml': 'name: w1\nmaster: "four.test:9989"\nnetwork: { families: [4] }\n' },
    },
    doctor: reach('four.test'),
    root: [],
    target: 'four.test:9989',
    verdict: 'reachable',
  },
  {
    id: 'F23',
    title: 'the hosts file has another address than DNS',
    recipe: {
      etc: { hosts: `${M4} master.test` },
      names: { 'master.test': { A: ['11.0.2.77'] } },
      listeners: listening,
    },
    doctor: reach('master.test'),
    root: ['DNS-07'],
    target: 'master.test:9989',
  },
  {
    id: 'F27',
    title: 'gai.conf prefers IPv4',
    recipe: { etc: { 'gai.conf': 'precedence ::ffff:0:0/96 100\n' }, listeners: listening },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['HST-12'],
    fact: true,
    target: 'dual.test:9989',
  },
  {
    id: 'F28',
    title: 'a bare name that only the search domain completes',
    recipe: {
      etc: { 'resolv.conf': 'nameserver 11.0.1.1\nsearch lab.test\n' },
      names: { 'master.lab.test': { A: [M4], AAAA: [M6] } },
      listeners: listening,
    },
    doctor: reach('master'),
    root: ['DNS-09'],
    also: ['DNS-01'],
    target: 'master:9989',
  },
  {
    id: 'F30',
    title: 'no nameserver at all',
    recipe: { etc: { 'resolv.conf': '' }, listeners: listening },
    doctor: reach('dual.test'),
    root: ['DNS-13'],
    also: ['DNS-01', 'DNS-02'],
    target: 'dual.test:9989',
  },
  {
    id: 'F44',
    title: 'four names whose nameserver is silent, beside a good one',
    recipe: {
      names: Object.fromEntries(
        [1, 2, 3, 4].map((n) => [`dead${n}.test`, { A: 'silence' as const, AAAA: 'silence' as const }]),
      ),
      listeners: { M: [{ host: '::', port: 80, does: { says: 'http' } }] },
    },
    doctor: ['source', ...[1, 2, 3, 4].map((n) => `http://dead${n}.test/a.git`), 'http://dual.test/a.git'],
    root: ['DNS-01', 'DNS-11'],
    also: ['DNS-02', 'SRC-02'],
  },
];
