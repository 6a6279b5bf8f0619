import type { LabCase } from './case.ts';
import { shell, workerYaml } from './directories.ts';
import { filter } from './paths.ts';

const master = { listen: '[::]:9989' };
/** The router's address toward the world, in every plan. */
const ROUTER = '11.0.2.1';
const listening = { M: [{ host: '::', port: 9989 }] };
const tcp = (target: string) => ['reach', target, '--protocol', 'tcp'];

/** What a router does that wants people to log in first: whatever W opens ends at its own web server. */
const PORTAL = [
  'nft add table inet portal',
  "nft 'add chain inet portal in { type nat hook prerouting priority -100; }'",
  'nft add rule inet portal in iifname rw meta l4proto tcp redirect to :8080',
];

/** A worker's own record of a session that the master ended for another process. */
const takenAgo = (seconds: number, index: number) =>
  `${JSON.stringify({
    ...{ n: index + 1, boot: `b${index}`, at: Date.now() / 1000 - seconds, host: 'h', up: 1 },
    fact: {
      ...{ kind: 'down', session: `s${index}`, by: 'master', code: 4002, reason: 'replaced' },
      ...{ silentMs: 1, lastedMs: 9_000 },
    },
  })}\n`;

/** One fault for each check that only asks where something is wrong already, and for those of proxies and certificates that no other case needs. */
export const CHECKS_NETWORK: readonly LabCase[] = [
  {
    id: 'X140',
    title: 'the router drops all TCP, and lets ping through',
    recipe: {
      setup: { R: filter('forward', 'iifname rw meta l4proto tcp drop') },
      listeners: listening,
      programs: ['nft', 'ping'],
    },
    doctor: tcp('dual.test:9989'),
    root: ['PTH-12'],
    also: ['PTH-01'],
    fact: true,
    verdict: 'unreachable',
    target: 'dual.test:9989',
  },
  {
    id: 'X141',
    title: 'a router on the way drops everything',
    recipe: {
      setup: { R: filter('forward', 'iifname rw drop') },
      listeners: listening,
      programs: ['nft', 'mtr'],
    },
    doctor: tcp('dual.test:9989'),
    root: ['PTH-11'],
    also: ['PTH-01'],
    fact: true,
    verdict: 'unreachable',
    target: 'dual.test:9989',
  },
  {
    id: 'X142',
    title: 'every fourth first packet of a connection is lost',
    recipe: {
      setup: { R: filter('forward', 'tcp dport 9989 tcp flags syn numgen inc mod 4 0 drop') },
      listeners: listening,
      programs: ['nft'],
    },
    doctor: tcp('four.test:9989'),
    root: ['PTH-10'],
    target: 'four.test:9989',
  },
  {
    id: 'X143',
    title: 'a captive portal answers for every host',
    recipe: {
      master,
      setup: { R: PORTAL },
      listeners: { R: [{ host: '::', port: 8080, does: { says: 'http' } }] },
      programs: ['nft'],
    },
    doctor: ['reach', 'dual.test:9989'],
    root: ['PRX-08'],
    target: 'dual.test:9989',
    verdict: 'wrong-peer',
  },
  {
    id: 'X144',
    title: 'a master behind a router that does not lead back to it by its public address',
    recipe: {
      plan: 'container',
      master: { ...master, on: 'W', reach: `${ROUTER}:9989` },
      under: shell('cd "$STAGE/master"'),
    },
    doctor: [],
    root: ['PTH-09'],
  },
  {
    id: 'X145',
    title: 'a proxy whose own host gets nowhere over IPv6',
    recipe: {
      plan: 'connect-proxy',
      master,
      setup: { R: filter('output', 'meta nfproto ipv6 tcp dport 9989 reject with tcp reset') },
    },
    doctor: ['reach', 'dual.test:9989', '--via', 'http://11.0.1.1:3128'],
    root: ['PRX-03'],
    verdict: 'reachable',
  },
  {
    id: 'X146',
    title: 'TLS: an authority that the system trusts and Node does not',
    recipe: {
      listeners: { M: [{ host: '::', port: 443, does: { tls: { certificate: { names: ['dual.test'] } } } }] },
      env: { SSL_CERT_FILE: './ca.pem' },
    },
    doctor: ['tls', 'dual.test:443'],
    root: ['TLS-10'],
    target: 'https://dual.test:443',
  },
  {
    id: 'X147',
    title: 'an address whose reverse name is another host by now',
    recipe: {
      names: {
        '2.2.0.11.in-addr.arpa': { PTR: ['four.test'] },
        'old.test': { A: ['11.0.2.2'] },
        'four.test': { A: ['11.0.2.9'] },
      },
    },
    doctor: ['dns', 'old.test'],
    root: ['DNS-14'],
    fact: true,
  },
  {
    id: 'X148',
    title: 'a worker whose name a second process took, and took again',
    recipe: {
      files: {
        ...workerYaml,
        '.bbx/link.jsonl': [900, 600, 300].map(takenAgo).join(''),
      },
    },
    doctor: ['host'],
    root: ['PRO-06'],
  },
  {
    id: 'X149',
    title: "a rule of the packet filter leads the master's web port to another program",
    recipe: {
      master: { ...master, on: 'W', web: 'localhost:8010' },
      listeners: { W: [{ host: '127.0.0.1', port: 8011, does: { says: 'http' } }] },
      setup: {
        W: [
          'nft add table ip other',
          "nft 'add chain ip other out { type nat hook output priority -100; }'",
          'nft add rule ip other out tcp dport 8010 redirect to :8011',
        ],
      },
      under: shell('cd "$STAGE/master"'),
      programs: ['nft'],
    },
    doctor: ['listen'],
    root: ['PRO-08'],
  },
];
