import type { LabCase } from './case.ts';
import { NO_IPV6 } from '../stage/plans.ts';
import { filter, SMALL_LINK } from './paths.ts';

const M4 = '11.0.2.2';
const M6 = '2a00:2::2';
const master = { listen: '[::]:9989' };
const listening = { M: [{ host: '::', port: 9989 }] };
const reach = ['reach', 'dual.test:9989'];

/** Two faults at once: the graver one must stand first, and both may be told. */
export const PAIRS: readonly LabCase[] = [
  {
    id: 'P01',
    title: 'F13 and F50: AAAA answered SERVFAIL, and the port dropped over IPv6',
    recipe: {
      names: { 'bad.test': { A: [M4], AAAA: 'SERVFAIL' } },
      listeners: listening,
      setup: { R: filter('forward', 'meta nfproto ipv6 tcp dport 9989 drop') },
      programs: ['nft'],
    },
    doctor: ['reach', 'bad.test:9989', '--protocol', 'tcp'],
    root: ['DNS-03'],
    also: ['PTH-02'],
    target: 'bad.test:9989',
  },
  {
    id: 'P02',
    title: 'F02 and F08: the worker has no IPv6, and the master listens on IPv6 alone',
    recipe: {
      setup: { W: ['for one in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > "$one"; done'] },
      listeners: { M: [{ host: '::', port: 9989, ipv6Only: true }] },
    },
    doctor: [...reach, '--protocol', 'tcp'],
    root: ['HST-01', 'PTH-04', 'PTH-01'],
    also: ['PTH-04', 'PTH-01', 'HST-01'],
    target: 'dual.test:9989',
    verdict: 'unreachable',
  },
  {
    id: 'P03',
    title: 'F28 and F56: a bare name, and large packets that are lost',
    recipe: {
      etc: { 'resolv.conf': 'nameserver 11.0.1.1\nsearch lab.test\n' },
      names: { 'master.lab.test': { A: [M4], AAAA: [M6] } },
      master,
      setup: { R: SMALL_LINK },
      programs: ['nft'],
    },
    doctor: ['reach', 'master:9989'],
    root: ['PTH-06'],
    also: ['DNS-09'],
    target: 'master:9989',
  },
  {
    id: 'P08',
    title: 'X05 and F56: a dead nameserver first, and large packets that are lost',
    recipe: {
      etc: { 'resolv.conf': 'nameserver 2a00:1::dead\nnameserver 11.0.1.1\n' },
      master,
      setup: { R: SMALL_LINK },
      programs: ['nft'],
    },
    doctor: reach,
    root: ['PTH-06'],
    also: ['DNS-11', 'DNS-01', 'DNS-13'],
    target: 'dual.test:9989',
  },
  {
    id: 'P04',
    title: 'X05 and F52: a dead nameserver first, and the port rejected',
    recipe: {
      etc: { 'resolv.conf': 'nameserver 2a00:1::dead\nnameserver 11.0.1.1\n' },
      listeners: listening,
      setup: { R: filter('forward', 'tcp dport 9989 reject with tcp reset') },
      programs: ['nft'],
    },
    doctor: [...reach, '--protocol', 'tcp'],
    root: ['PTH-04'],
    also: ['DNS-11', 'DNS-01', 'DNS-13'],
    target: 'dual.test:9989',
    verdict: 'unreachable',
  },
  {
    id: 'P05',
    title: 'F31 and F52: no IPv6 route, and IPv4 rejected',
    recipe: {
      listeners: listening,
      setup: {
        W: ['ip -6 route del default'],
        R: filter('forward', 'meta nfproto ipv4 tcp dport 9989 reject with tcp reset'),
      },
      programs: ['nft'],
    },
    doctor: [...reach, '--protocol', 'tcp'],
    root: ['PTH-04', 'HST-03'],
    also: ['HST-03', 'PTH-04', 'PTH-01'],
    target: 'dual.test:9989',
    verdict: 'unreachable',
  },
  {
    id: 'P06',
    title: 'F63 and F61: a certificate that has expired and is for another name',
    recipe: {
      listeners: {
        M: [
          {
            host: '::',
            port: 443,
            does: { tls: { certificate: { names: ['other.test'], from: -90, until: -1 } } },
          },
        ],
      },
    },
    doctor: ['tls', 'dual.test:443', '--ca', 'ca.pem'],
    root: ['TLS-03', 'TLS-04'],
    also: ['TLS-03', 'TLS-04'],
    target: 'https://dual.test:443',
  },
  {
    id: 'P07',
    title: 'F23 and F36: the hosts file leads elsewhere, where a web server answers',
    recipe: {
      etc: { hosts: '11.0.2.2 master.test' },
      names: { 'master.test': { A: ['11.0.2.77'] } },
      listeners: { M: [{ host: '::', port: 9989, does: { says: 'http' } }] },
    },
    doctor: ['reach', 'master.test:9989'],
    root: ['PRO-01', 'DNS-07'],
    also: ['PRO-01', 'DNS-07'],
    target: 'master.test:9989',
  },
  {
    id: 'P09',
    title: "F02 and F35: the worker has no IPv6, and another farm's master answers over IPv4",
    recipe: {
      setup: { W: [NO_IPV6] },
      master,
      files: {
        'worker.yaml': `name: w1\nmaster: ["six.test:9989", "four.test:9989"]\npin: sha256:${'A'.repeat(43)}\n`,
      },
    },
    doctor: [],
    root: ['PRO-01', 'HST-01'],
    also: ['PRO-01', 'HST-01'],
  },
];
