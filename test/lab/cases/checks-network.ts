import type { LabCase } from './case.ts';
import { shell } from './directories.ts';
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
    title: 'every third first packet of a connection is lost',
    recipe: {
      setup: { R: filter('forward', 'tcp dport 9989 tcp flags syn numgen inc mod 3 0 drop') },
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
];
