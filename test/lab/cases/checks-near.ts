import type { LabCase } from './case.ts';
import { masterYaml, shell } from './directories.ts';
import { filter } from './paths.ts';

const W6 = '2a00:1::2';
/** A control group as the kernel shows it, of either version; a namespace may make none. */
const group = (file: string, text: string) =>
  `mkdir -p "/sys/fs/cgroup$two" "/sys/fs/cgroup/pids$one"; echo ${text} | tee "/sys/fs/cgroup$two/${file}" > "/sys/fs/cgroup/pids$one/${file}"`;

/** One fault for each check of what stands around the programs: packet filter, limits, clock, configuration. */
export const CHECKS_NEAR: readonly LabCase[] = [
  {
    id: 'X120',
    title: "a port to listen on, to which this host's own firewall lets nobody",
    recipe: {
      setup: {
        W: [
          'nft add table inet own',
          "nft 'add chain inet own input { type filter hook input priority 0; policy drop; }'",
          "nft 'add rule inet own input ct state established,related accept'",
          "nft 'add rule inet own input iifname lo accept'",
          "nft 'add rule inet own input tcp dport { 22, 8010 } accept'",
        ],
      },
      programs: ['nft'],
    },
    doctor: ['listen', '[::]:9989'],
    root: ['SVC-07'],
  },
  {
    id: 'X121',
    title: 'a firewall that lets in what it should (a control)',
    recipe: {
      setup: {
        W: [
          ...filter('input', 'ct state established,related accept'),
          "nft 'add chain inet fault here { policy drop; }'",
          "nft 'add rule inet fault here iif lo accept'",
          "nft 'add rule inet fault here meta l4proto ipv6-icmp accept'",
          "nft 'add rule inet fault here tcp dport { 22, 9900-9999 } accept'",
        ],
      },
      programs: ['nft'],
    },
    doctor: ['listen', '[::]:9989'],
    root: [],
  },
  {
    id: 'X122',
    title: 'a control group with room for three processes more',
    recipe: {
      under: shell(
        [
          'mount -t tmpfs tmpfs /sys/fs/cgroup',
          'two=$(sed -n s/^0:://p /proc/self/cgroup); one=$(sed -n s/^.*:pids://p /proc/self/cgroup)',
          group('pids.max', '100'),
          group('pids.current', '97'),
        ].join('; '),
      ),
    },
    doctor: ['host'],
    root: ['LIM-06'],
  },
  {
    id: 'X123',
    title: 'a control group with room enough (a control)',
    recipe: {
      under: shell(
        [
          'mount -t tmpfs tmpfs /sys/fs/cgroup',
          'two=$(sed -n s/^0:://p /proc/self/cgroup); one=$(sed -n s/^.*:pids://p /proc/self/cgroup)',
          group('pids.max', '4096'),
          group('pids.current', '97'),
        ].join('; '),
      ),
    },
    doctor: ['host'],
    root: [],
  },
  {
    id: 'X124',
    title: 'a host that has slept for two hours since it started',
    recipe: { under: ['unshare', '-T', '--boottime', '7200', '--fork', '--'] },
    doctor: ['clock'],
    root: ['CLK-03'],
    fact: true,
  },
  {
    id: 'X125',
    title: 'the public address is https at the port of the plain pages',
    recipe: { files: masterYaml({ web: '[::]:8010', more: `url: "https://[${W6}]:8010/"` }) },
    doctor: ['config'],
    root: ['CFG-04'],
  },
  {
    id: 'X126',
    title: 'an IPv4 address for workers, in a plan with IPv6 alone',
    recipe: { files: masterYaml({ more: 'reach: ["11.0.1.1:9989"]\nnetwork: { families: [6] }' }) },
    doctor: ['config'],
    root: ['CFG-05'],
  },
  {
    id: 'X127',
    title: 'a link-local address with its zone, for workers of other hosts',
    recipe: { files: masterYaml({ more: 'reach: ["[fe80::1%wr]:9989"]' }) },
    doctor: ['config'],
    root: ['CFG-07'],
  },
  {
    id: 'X128',
    title: 'a web server before the master that does not find it',
    recipe: {
      master: { listen: '[::]:9989' },
      listeners: { M: [{ host: '::', port: 8080, does: { says: 'goodbye' } }] },
      under: shell('cd "$STAGE/master"; echo "url: http://dual.test:8080/" >> master.yaml'),
    },
    doctor: ['mail'],
    root: ['NTF-09'],
  },
  {
    id: 'X129',
    title: 'a web server before the master that answers for it (a control)',
    recipe: {
      master: { listen: '[::]:9989' },
      listeners: { M: [{ host: '::', port: 8080, does: { says: 'http' } }] },
      under: shell('cd "$STAGE/master"; echo "url: http://dual.test:8080/" >> master.yaml'),
    },
    doctor: ['mail'],
    root: [],
  },
  {
    id: 'X136',
    title: 'a stock master whose builder names a worker that is not there; asked with --exec-config',
    recipe: { files: { 'master.cfg': stockFile('w9') }, programs: ['buildbot'] },
    doctor: ['config', 'master.cfg', '--exec-config'],
    root: ['STK-17'],
  },
  {
    id: 'X137',
    title: 'a stock master with which nothing is wrong; asked with --exec-config (a control)',
    recipe: { files: { 'master.cfg': stockFile('w1') }, programs: ['buildbot'] },
    doctor: ['config', 'master.cfg', '--exec-config'],
    root: [],
  },
];

function stockFile(named: string): string {
  return String.raw`from buildbot.plugins import schedulers, util, worker
c = BuildmasterConfig = {}
c['protocols'] = {'pb': {'port': r"tcp:9989:interface=\:\:"}}
c['workers'] = [worker.Worker("w1", "pass")]
c['builders'] = [util.BuilderConfig(name="b", workernames=["${named}"], factory=util.BuildFactory())]
c['schedulers'] = [schedulers.ForceScheduler(name="f", builderNames=["b"])]
`;
}
