import type { LabCase } from './case.ts';
import { filter } from './paths.ts';

const master = { listen: '[::]:9989' };
/** The filter remembers connections as soon as a rule asks for what it knows of them. */
const TRACKING = [...filter('output'), "nft 'add rule inet fault here ct state new accept'"];
const known = (name: string, value: number) => `sysctl -qw net.netfilter.nf_conntrack_${name}=${value}`;

/** Faults of the checks that take more than a line to be wrong. */
export const CHECKS_RARE: readonly LabCase[] = [
  {
    id: 'X150',
    title: 'resolv.conf wants TCP, which a firewall rejects on the way to the nameserver',
    recipe: {
      etc: { 'resolv.conf': 'nameserver 11.0.1.1\noptions use-vc timeout:1 attempts:1\n' },
      master,
      setup: { R: filter('input', 'tcp dport 53 reject with tcp reset') },
      programs: ['nft'],
    },
    doctor: ['reach', 'dual.test:9989'],
    root: ['DNS-02'],
    target: 'dual.test:9989',
    verdict: 'unreachable',
  },
  {
    id: 'X151',
    title: 'a server of TLS that refuses everybody by an alert',
    recipe: { listeners: { M: [{ host: '::', port: 443, does: { alert: 80 } }] } },
    doctor: ['tls', 'dual.test:443', '--ca', 'ca.pem'],
    root: ['TLS-01'],
    target: 'https://dual.test:443',
  },
  {
    id: 'X152',
    title: 'a server of TLS that takes 3.1 s for a handshake',
    recipe: {
      listeners: {
        M: [
          {
            host: '::',
            port: 443,
            does: { tls: { certificate: { names: ['dual.test'] }, afterMs: 3_100 } },
          },
        ],
      },
    },
    doctor: ['tls', 'dual.test:443', '--ca', 'ca.pem'],
    root: ['TLS-01'],
    target: 'https://dual.test:443',
  },
  {
    id: 'X153',
    title: 'a master that speaks another version of the protocol alone',
    recipe: { listeners: { M: [{ host: '::', port: 9989, does: { masterOfVersion: 9 } }] } },
    doctor: ['reach', 'dual.test:9989'],
    root: ['PRO-04'],
    target: 'dual.test:9989',
  },
  {
    id: 'X154',
    title: "the packet filter's table of connections is nearly full",
    recipe: {
      setup: { W: [...TRACKING, known('udp_timeout', 600), '"$NODE" "$LAB/flows.ts" 0.85'] },
      programs: ['nft'],
    },
    doctor: ['host'],
    root: ['LIM-03'],
  },
  {
    id: 'X155',
    title: 'the packet filter forgets connections after 30 s of silence',
    recipe: {
      setup: { W: [...TRACKING, known('tcp_timeout_established', 30)] },
      listeners: { W: [{ host: '127.0.0.1', port: 7_000 }] },
      after: { W: ['exec 3<> /dev/tcp/127.0.0.1/7000'] },
      programs: ['nft'],
    },
    doctor: ['host'],
    root: ['LIM-04'],
  },
  {
    id: 'X157',
    title: 'chrony asks a time server that is not there',
    recipe: {
      files: {
        // It leaves the machine's own clock alone (-x).
        'chrony.conf':
          'server 11.0.2.77 iburst\npidfile /run/chrony/pid\nbindcmdaddress /run/chrony/chronyd.sock\n',
      },
      after: {
        W: [
          'install -d -m 0750 /run/chrony',
          'chronyd -x -u root -f "$STAGE/here/chrony.conf"',
          'for i in $(seq 100); do chronyc -n tracking > /dev/null 2>&1 && break; sleep 0.05; done',
        ],
      },
      programs: ['chronyd'],
    },
    doctor: ['clock'],
    root: ['CLK-02'],
  },
  {
    id: 'X156',
    title: 'a mail server without a login, and the stock master has a user for it',
    recipe: {
      files: {
        'master.cfg': [
          'from buildbot.plugins import reporters',
          'c = BuildmasterConfig = {}',
          'c["services"] = [reporters.MailNotifier(',
          '    fromaddr="ci@dual.test", relayhost="dual.test", smtpPort=587, useTls=True,',
          '    smtpUser="ci", smtpPassword="secret")]',
          '',
        ].join('\n'),
      },
      env: { NODE_EXTRA_CA_CERTS: 'ca.pem' },
      listeners: {
        M: [{ host: '::', port: 587, does: { smtp: { startTls: { names: ['dual.test'] } } } }],
      },
    },
    doctor: ['mail'],
    root: ['NTF-03'],
    target: 'dual.test:587',
  },
];
