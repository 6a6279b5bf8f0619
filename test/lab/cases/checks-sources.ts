import type { LabCase } from './case.ts';
import { reverseName } from '../../../src/net/dns/reverse.ts';
import { shell } from './directories.ts';
import { filter } from './paths.ts';

const M4 = '11.0.2.2';
const W6 = '2a00:1::2';
const master = { listen: '[::]:9989', reach: 'dual.test:9989' };
const M6 = '2a00:2::2';

/** A daemon of git for each family of M, with its own directory. */
const daemons = (four: string, six: string) => ({
  setup: {
    M: [
      'git init -q --bare "$STAGE/app.git"; mkdir "$STAGE/other"',
      `git daemon --listen=${M4} --export-all --base-path="${four}" > /dev/null 2>&1 &`,
      `git daemon --listen=${M6} --export-all --base-path="${six}" > /dev/null 2>&1 &`,
    ],
  },
  after: {
    W: [
      `for i in $(seq 100); do git ls-remote git://${M4}/app.git 2> /dev/null && break; sleep 0.1; done`,
      `for i in $(seq 100); do (: < /dev/tcp/${M6}/9418) 2> /dev/null && break; sleep 0.1; done`,
    ],
  },
});

/** Keys of one ssh server, which runs as nobody of the namespace: there is no other user in it to lock itself in as. */
const sshd = {
  setup: {
    M: [
      'sysctl -qw net.ipv4.ip_unprivileged_port_start=0',
      'ssh-keygen -q -t ed25519 -N "" -f "$STAGE/host"',
      `printf '%s\\n' 'ListenAddress ${M4}:22' 'ListenAddress [${M6}]:22' "HostKey $STAGE/host" 'PidFile none' 'UsePAM no' 'StrictModes no' > "$STAGE/sshd"`,
      'unshare -U --map-user=1000 --map-group=1000 /usr/sbin/sshd -D -f "$STAGE/sshd" > /dev/null 2>&1 &',
    ],
  },
  after: { W: [`for i in $(seq 100); do (: < /dev/tcp/${M6}/22) 2> /dev/null && break; sleep 0.1; done`] },
  programs: ['git', 'sshd'],
} as const;
const knowing = (file: string, before = ':') =>
  shell(
    `${before}; export GIT_SSH_COMMAND="ssh -F none -oUserKnownHostsFile=${file} -oGlobalKnownHostsFile=/dev/null"`,
  );
const KNOWN = 'awk \'{ print "dual.test", $1, $2 }\' "$STAGE/host.pub" > "$STAGE/known"';

/** One fault for each check of sources that others do not have. */
export const CHECKS_SOURCES: readonly LabCase[] = [
  {
    id: 'X130',
    title: 'over IPv6 another server answers, which does not have the repository',
    recipe: { ...daemons('$STAGE', '$STAGE/other'), programs: ['git'] },
    doctor: ['source', 'git://dual.test/app.git'],
    root: ['SRC-03'],
    target: 'dual.test:9418',
  },
  {
    id: 'X131',
    title: 'a repository that both families have (a control)',
    recipe: { ...daemons('$STAGE', '$STAGE'), programs: ['git'] },
    doctor: ['source', 'git://dual.test/app.git'],
    root: [],
  },
  {
    id: 'X132',
    title: 'an ssh server whose key nobody wrote down',
    recipe: { ...sshd, under: knowing('/dev/null') },
    doctor: ['source', 'ssh://git@dual.test/app.git'],
    root: ['SRC-04'],
    target: 'dual.test:22',
  },
  {
    id: 'X133',
    title: 'an ssh server whose key is another than it was',
    recipe: {
      ...sshd,
      under: knowing(
        '$STAGE/known',
        `ssh-keygen -q -t ed25519 -N "" -f "$STAGE/old"; ${KNOWN.replace('host.pub', 'old.pub')}`,
      ),
    },
    doctor: ['source', 'ssh://git@dual.test/app.git'],
    root: ['SRC-04'],
    target: 'dual.test:22',
  },
  {
    id: 'X134',
    title: 'an ssh server whose key is known, and which lets this user in as nobody',
    recipe: { ...sshd, under: knowing('$STAGE/known', KNOWN) },
    doctor: ['source', 'ssh://git@dual.test/app.git'],
    root: ['SRC-02'],
    target: 'dual.test:22',
  },
  {
    id: 'X135',
    title: 'mail leaves from an IPv6 address that has no name',
    recipe: {
      names: { [reverseName(W6)]: {} },
      listeners: { M: [{ host: '::', port: 25, does: { says: 'smtp' } }] },
    },
    doctor: ['mail', 'dual.test:25'],
    root: ['NTF-06'],
    target: 'dual.test:25',
  },
  {
    id: 'X138',
    title: 'something else than IRC where the bot of a stock master is to go',
    recipe: {
      files: {
        'master.cfg':
          'c = BuildmasterConfig = {}\nc["services"] = [reporters.IRC(host="dual.test", nick="bb", channels=[])]\n',
      },
      listeners: { M: [{ host: '::', port: 6667, does: { says: 'ssh' } }] },
    },
    doctor: ['mail'],
    root: ['NTF-10'],
  },
  {
    id: 'X139',
    title: "a repository that the master's host reaches, and the attached worker's does not",
    recipe: {
      master,
      setup: { M: filter('output', 'tcp dport 9418 drop') },
      listeners: { W: [{ host: '::', port: 9418 }] },
      programs: ['nft'],
      under: shell(
        [
          'cd "$STAGE"; "$0" "$1" worker add w7 --dir master > join; chmod 600 join',
          '"$0" "$1" create-worker worker --join @join --name w7 --no-input > /dev/null',
          'ip netns exec M "$0" "$1" run worker worker > /dev/null 2>&1 &',
          'cd master; "$0" "$1" worker show w7 --wait attached > /dev/null',
        ].join('\n'),
      ),
    },
    doctor: ['source', 'git://w.test/app.git', '--worker', 'w7'],
    root: ['SRC-05'],
  },
];
