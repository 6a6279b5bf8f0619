import type { CertificateOrder } from '../stage/certificates.ts';
import type { LabCase } from './case.ts';
import { masterYaml, shell, workerYaml } from './directories.ts';
import { filter } from './paths.ts';

const M4 = '11.0.2.2';
const M6 = '2a00:2::2';
const master = { listen: '[::]:9989' };
const secure = (host: string, ipv6Only: boolean, certificate: CertificateOrder) => ({
  host,
  port: 443,
  ipv6Only,
  does: { tls: { certificate } },
});
/** A repository on M, as git itself serves it. */
const serving = {
  setup: {
    M: [
      'git init -q --bare "$STAGE/app.git"',
      'git daemon --export-all --base-path="$STAGE" > /dev/null 2>&1 &',
    ],
  },
  after: {
    W: [`for i in $(seq 100); do git ls-remote git://${M4}/app.git 2> /dev/null && break; sleep 0.1; done`],
  },
};
/** It knows a connection by its port, from packet to packet; so long as it has seen little, by its looks as well. */
const FORGETFUL = [
  ...filter('forward'),
  "nft 'add set inet fault known { type inet_service; flags dynamic, timeout; timeout 200ms; }'",
  ...[
    'tcp dport 9989 tcp flags syn add @known { tcp sport } accept',
    'tcp dport 9989 tcp sport @known update @known { tcp sport } accept',
    'tcp sport 9989 tcp dport @known update @known { tcp dport } accept',
    'tcp dport 9989 quota until 50000 bytes add @known { tcp sport } accept',
    'tcp dport 9989 drop',
    'tcp sport 9989 drop',
  ].map((rule) => `nft 'add rule inet fault here ${rule}'`),
];

/** One fault for each check that no other case has as its only root, so that each is missed when it is gone: of who answers, and of the programs beside. */
export const CHECKS_FAR: readonly LabCase[] = [
  {
    id: 'X82',
    title: 'one certificate over IPv4 and another over IPv6, both right',
    recipe: {
      listeners: {
        M: [
          secure('0.0.0.0', false, { names: ['dual.test'] }),
          secure('::', true, { names: ['dual.test', 'old.test'] }),
        ],
      },
    },
    doctor: ['tls', 'dual.test:443', '--ca', 'ca.pem'],
    root: ['TLS-05'],
    target: 'https://dual.test:443',
  },
  {
    id: 'X83',
    title: "the farm's key is no key",
    recipe: {
      files: { ...masterYaml(), 'identity/key.pem': 'lost\n', 'identity/certificate.pem': 'lost\n' },
    },
    doctor: ['host'],
    root: ['TLS-09'],
  },
  {
    id: 'X84',
    title: "an IPv6 address with TLS, which stock Buildbot's workers cannot dial",
    recipe: { listeners: { M: [secure('::', false, { names: [M6] })] } },
    doctor: ['tls', `[${M6}]:443`, '--ca', 'ca.pem'],
    root: ['TLS-11'],
    fact: true,
    target: `https://[${M6}]:443`,
  },
  {
    id: 'X85',
    title: 'a web server where a stock master is meant',
    recipe: { listeners: { M: [{ host: '::', port: 9989, does: { says: 'http' } }] } },
    doctor: ['reach', 'dual.test:9989', '--protocol', 'pb'],
    root: ['PRO-02'],
    target: 'dual.test:9989',
    verdict: 'wrong-peer',
  },
  {
    id: 'X86',
    title: 'a worker that the master does not know yet',
    recipe: {
      master,
      under: shell(
        [
          '"$0" "$1" create-worker --master dual.test:9989 --name w1 --no-input > /dev/null; cd worker',
          // Its first run makes its key, and asks to be let in.
          '"$0" "$1" run worker > /dev/null 2>&1 & for i in $(seq 100); do [ -e key.pem ] && break; sleep 0.1; done',
        ].join('; '),
      ),
    },
    doctor: ['reach', 'dual.test:9989'],
    root: ['PRO-05'],
    target: 'dual.test:9989',
  },
  {
    id: 'F35',
    title: "another farm's master than the one that the worker was told",
    recipe: {
      master,
      files: {
        'worker.yaml': `name: w1\nmaster: "dual.test:9989"\npin: sha256:${'A'.repeat(43)}\n`,
      },
    },
    doctor: ['reach', 'dual.test:9989'],
    root: ['PRO-01'],
    target: 'dual.test:9989',
    verdict: 'wrong-peer',
  },
  {
    id: 'F57',
    title: 'a firewall on the way forgets a connection that has rested for 0.2 s',
    recipe: { master, setup: { R: FORGETFUL }, programs: ['nft'] },
    doctor: ['reach', `[${M6}]:9989`],
    root: ['PRO-09'],
    target: `[${M6}]:9989`,
  },
  {
    id: 'X87',
    title: 'a web server in the way of WebSocket',
    recipe: { listeners: { M: [{ host: '::', port: 8010, does: { says: 'http' } }] } },
    doctor: ['reach', 'ws://dual.test:8010'],
    root: ['PRO-07'],
    also: ['PRO-01'],
    target: 'dual.test:8010',
  },
  {
    id: 'X88',
    title: 'listeners may have four connections waiting',
    recipe: { setup: { W: ['sysctl -qw net.core.somaxconn=4'] } },
    doctor: ['host'],
    root: ['LIM-05'],
    fact: true,
  },
  {
    id: 'X89',
    title: 'the master of this directory runs in another network',
    recipe: { master, under: shell('cd "$STAGE/master"') },
    doctor: ['host'],
    root: ['SVC-06'],
  },
  {
    id: 'X90',
    title: 'a repository whose host has A alone',
    recipe: { ...serving, programs: ['git'] },
    doctor: ['source', 'git://four.test/app.git'],
    root: ['SRC-01'],
    fact: true,
    target: 'four.test:9418',
  },
  {
    id: 'X91',
    title: 'a submodule that is fetched from a host that is not there',
    recipe: {
      ...serving,
      files: {
        ...workerYaml,
        'builds/app/build/.git/config': '[remote "origin"]\n\turl = git://dual.test/app.git\n',
        'builds/app/build/.gitmodules':
          '[submodule "part"]\n\tpath = part\n\turl = http://four.test:8080/part.git\n',
      },
      programs: ['git'],
    },
    doctor: ['source'],
    root: ['SRC-07'],
  },
  {
    id: 'X92',
    title: 'plain mail on the port that has TLS from the first byte',
    recipe: { listeners: { M: [{ host: '::', port: 465, does: { says: 'smtp' } }] } },
    doctor: ['mail', 'dual.test:465'],
    root: ['NTF-02'],
    also: ['NTF-01'],
    target: 'dual.test:465',
  },
  {
    id: 'X93',
    title: 'an address as mail server, and its certificate is for names',
    recipe: {
      listeners: {
        M: [
          { host: '::', port: 465, does: { tls: { certificate: { names: ['dual.test'] }, says: 'smtp' } } },
        ],
      },
    },
    doctor: ['mail', `[${M6}]:465`],
    root: ['NTF-04'],
    also: ['NTF-02'],
  },
  {
    id: 'X94',
    title: 'the web service that is told of builds is not there',
    recipe: { listeners: { M: [{ host: '::', port: 8080, does: { says: 'goodbye' } }] } },
    doctor: ['mail', 'http://dual.test:8080/api'],
    root: ['NTF-07'],
    target: 'http://dual.test:8080',
  },
  {
    id: 'X95',
    title: 'a stock master whose ssl: files are not there',
    recipe: {
      files: { 'master.cfg': stock('r"ssl:9989:privateKey=no.key:certKey=no.crt:interface=\\:\\:"') },
    },
    doctor: ['config', 'master.cfg'],
    root: ['STK-13'],
  },
  {
    id: 'X96',
    title: 'a stock master whose buildbotURL has another port than its web server',
    recipe: { files: { 'master.cfg': stock('r"tcp:9989:interface=\\:\\:"', 8011) } },
    doctor: ['config', 'master.cfg'],
    root: ['STK-14'],
  },
  {
    id: 'X97',
    title: 'stock workers dial a name with AAAA alone, and look A up',
    recipe: { files: { 'master.cfg': stock('r"tcp:9989:interface=\\:\\:"') } },
    doctor: ['ipv6', '--stock', '.', '--reach', 'six.test'],
    root: ['STK-16'],
    also: ['LSN-10', 'DNS-05'],
  },
];

function stock(port: string, web = 8010): string {
  return String.raw`c = BuildmasterConfig = {}
c['protocols'] = {'pb': {'port': ${port}}}
c['buildbotURL'] = "http://dual.test:8010/"
c['www'] = dict(port=r"tcp:${web}:interface=\:\:", plugins=dict())
`;
}
