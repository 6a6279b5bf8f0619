import type { CertificateOrder } from '../stage/certificates.ts';
import type { LabCase } from './case.ts';
import { filter } from './paths.ts';

const M4 = '11.0.2.2';
const M6 = '2a00:2::2';
const W4 = '11.0.1.2';
const master = { listen: '[::]:9989' };
const listening = { M: [{ host: '::', port: 9989 }] };
/** A master's directory, with what is given in place of the usual. */
const masterYaml = (given: Partial<Record<'workers' | 'web' | 'store' | 'more', string>> = {}) => ({
  'master.yaml': [
    `listen: { workers: "${given.workers ?? '[::]:9989'}", web: "${given.web ?? 'localhost:8010'}" }`,
    `store: ${given.store ?? 'sqlite:state.sqlite'}`,
    given.more ?? '',
    '',
  ].join('\n'),
});
const workerYaml = { 'worker.yaml': 'name: w1\nmaster: "dual.test:9989"\n' };
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
const shell = (line: string) => ['sh', '-c', `${line}; exec "$0" "$@"`];

/** One fault for each check that no other case has as its only root, so that each is missed when it is gone. */
export const CHECKS: readonly LabCase[] = [
  {
    id: 'X70',
    title: 'a port that is no port',
    recipe: { files: { 'worker.yaml': 'name: w1\nmaster: "dual.test:99899"\n' } },
    doctor: ['config'],
    root: ['CFG-01'],
  },
  {
    id: 'X71',
    title: 'a worker that does not run',
    recipe: { files: workerYaml },
    doctor: ['host'],
    root: ['RUN-01'],
    fact: true,
  },
  {
    id: 'X72',
    title: 'the disk of the spool is full',
    recipe: {
      files: workerYaml,
      under: shell(
        'mkdir spool; mount -t tmpfs -o size=64k tmpfs spool; head -c 99999 /dev/zero > spool/full 2> /dev/null',
      ),
    },
    doctor: ['host'],
    root: ['DSK-01'],
  },
  {
    id: 'X73',
    title: "the store's server is not there",
    recipe: { files: masterYaml({ store: `postgres://farm@${M4}:5432/farm` }) },
    doctor: [],
    root: ['STO-01'],
  },
  {
    id: 'X74',
    title: 'a network of its own',
    recipe: {},
    doctor: ['host'],
    root: ['HST-10'],
    fact: true,
  },
  {
    id: 'X75',
    title: 'nothing listens',
    recipe: {},
    doctor: ['ipv6', '--listen', '[::]:9989'],
    root: ['LSN-01'],
    fact: true,
  },
  {
    id: 'X76',
    title: 'a master that is to listen on loopback alone, while workers come from elsewhere',
    recipe: { files: masterYaml({ workers: 'localhost:9989', more: `reach: ["${W4}:9989"]` }) },
    doctor: ['listen'],
    root: ['LSN-08'],
  },
  {
    id: 'X77',
    title: 'the web port speaks plain HTTP to everybody',
    recipe: { files: masterYaml({ web: '[::]:8010' }) },
    doctor: ['listen'],
    root: ['LSN-10'],
  },
  {
    id: 'X78',
    title: 'a name with A alone, where IPv6 is meant',
    recipe: { listeners: listening },
    doctor: ['ipv6', 'four.test:9989', '--protocol', 'tcp'],
    root: ['DNS-04'],
    target: 'four.test:9989',
  },
  {
    id: 'X79',
    title: "gai.conf gives the master's network a label of its own: programs try IPv4 first",
    recipe: {
      etc: { 'gai.conf': 'label ::/0 1\nlabel ::ffff:0:0/96 4\nlabel 2a00:2::/32 99\n' },
      listeners: listening,
    },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['DNS-16'],
    fact: true,
    target: 'dual.test:9989',
  },
  {
    id: 'X80',
    title: 'a dead AAAA, where the farm goes by IPv4: other programs wait for it',
    recipe: {
      names: { 'half.test': { A: [M4], AAAA: ['2a00:2::dead'] } },
      files: masterYaml({ more: 'network: { families: [4] }' }),
      listeners: listening,
    },
    doctor: ['reach', 'half.test:9989', '--protocol', 'tcp'],
    root: ['PTH-03'],
    target: 'half.test:9989',
  },
  {
    id: 'X81',
    title: "the master sees another address than the worker's own",
    recipe: { plan: 'container', master },
    doctor: ['reach', 'dual.test:9989'],
    root: ['PTH-13'],
    fact: true,
    target: 'dual.test:9989',
  },
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
];

function stock(port: string, web = 8010): string {
  return String.raw`c = BuildmasterConfig = {}
c['protocols'] = {'pb': {'port': ${port}}}
c['buildbotURL'] = "http://dual.test:8010/"
c['www'] = dict(port=r"tcp:${web}:interface=\:\:", plugins=dict())
`;
}
