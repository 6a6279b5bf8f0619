import { NO_IPV6 } from '../stage/plans.ts';
import type { LabCase } from './case.ts';
import { filter } from './paths.ts';

const M4 = '11.0.2.2';
const M6 = '2a00:2::2';
const W4 = '11.0.1.2';
const listening = { M: [{ host: '::', port: 9989 }] };
const reach = (target: string) => ['reach', target, '--protocol', 'tcp'];
const master = { listen: '[::]:9989' };

/** What an AAAA record must not hold. */
const record = (id: string, title: string, address: string): LabCase => ({
  id,
  title: `the AAAA record holds ${title}`,
  recipe: { names: { 'odd.test': { A: [M4], AAAA: [address] } }, listeners: listening },
  doctor: reach('odd.test:9989'),
  root: ['DNS-06'],
  also: ['PTH-02', 'PTH-01'],
  target: 'odd.test:9989',
});

/** Faults that the reference's table does not have: of names and hosts. */
export const OWN_HOSTS: readonly LabCase[] = [
  record('X01', 'loopback', '::1'),
  record('X02', 'a link-local address', 'fe80::1'),
  record('X03', 'an IPv4-mapped address', `::ffff:${M4}`),
  record('X04', 'a documentation address', '2001:db8::2'),
  {
    id: 'X05',
    title: 'a dead IPv6 nameserver stands first',
    recipe: {
      etc: { 'resolv.conf': 'nameserver 2a00:1::dead\nnameserver 11.0.1.1\n' },
      listeners: listening,
    },
    doctor: reach('dual.test:9989'),
    root: ['DNS-11', 'DNS-01'],
    also: ['DNS-11', 'DNS-01', 'DNS-13'],
    target: 'dual.test:9989',
  },
  {
    id: 'X06',
    title: 'a nameserver with a link-local address and no zone',
    recipe: { etc: { 'resolv.conf': 'nameserver fe80::1\n' }, listeners: listening },
    doctor: reach('dual.test:9989'),
    root: ['DNS-13'],
    also: ['DNS-01', 'DNS-02'],
    target: 'dual.test:9989',
  },
  {
    id: 'X07',
    title: 'two nameservers that tell different addresses',
    recipe: {
      setup: { R: ['ip addr add 11.0.1.53/24 dev rw'] },
      etc: { 'resolv.conf': 'nameserver 11.0.1.1\nnameserver 11.0.1.53\n' },
      nameservers: [
        { at: ['11.0.1.1'], names: { 'split.test': { A: [M4], AAAA: [M6] } } },
        { at: ['11.0.1.53'], names: { 'split.test': { A: ['11.0.2.77'], AAAA: ['2a00:2::77'] } } },
      ],
      listeners: listening,
    },
    doctor: reach('split.test:9989'),
    root: ['DNS-15'],
    also: ['PTH-01'],
    target: 'split.test:9989',
  },
  {
    id: 'X08',
    title: 'the hosts file has the IPv4 address alone, and IPv6 is meant',
    recipe: { etc: { hosts: `${M4} dual.test` }, listeners: listening },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['DNS-07'],
    also: ['DNS-04', 'DNS-02'],
    target: 'dual.test:9989',
  },
  {
    id: 'X09',
    title: "the hosts file puts the master's name on loopback",
    recipe: { etc: { hosts: '127.0.0.1 dual.test' }, listeners: listening },
    doctor: reach('dual.test:9989'),
    root: ['DNS-07'],
    also: ['PTH-04', 'PTH-01', 'DNS-08'],
    target: 'dual.test:9989',
  },
  {
    id: 'X10',
    title: 'nsswitch.conf does not ask DNS',
    recipe: { etc: { 'nsswitch.conf': 'hosts: files\n' }, listeners: listening },
    doctor: reach('dual.test:9989'),
    root: ['DNS-10'],
    also: ['DNS-02'],
    target: 'dual.test:9989',
  },
  {
    id: 'X11',
    title: 'a name in .local, and nsswitch.conf asks mDNS for IPv4 alone',
    recipe: {
      etc: { 'nsswitch.conf': 'hosts: files mdns4_minimal [NOTFOUND=return] dns\n' },
      names: { 'master.local': { A: [M4], AAAA: [M6] } },
      listeners: listening,
    },
    doctor: reach('master.local:9989'),
    root: ['DNS-10'],
    also: ['DNS-02'],
    target: 'master.local:9989',
  },
  {
    id: 'X12',
    title: 'a nameserver that floods',
    recipe: { names: { 'flood.test': { A: 'flood', AAAA: 'flood' } }, listeners: listening },
    doctor: reach('flood.test:9989'),
    root: ['DNS-01'],
    also: ['DNS-02', 'DNS-11'],
    target: 'flood.test:9989',
  },
  {
    id: 'X13',
    title: 'a route from a router that has gone silent has expired',
    recipe: {
      setup: {
        W: ['ip -6 route del default', 'ip -6 route add default via 2a00:1::1 dev wr expires 1'],
      },
      after: {
        W: ['for i in $(seq 60); do ip -6 route get 2a00:2::2 > /dev/null 2>&1 || break; sleep 0.1; done'],
      },
      listeners: listening,
    },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['HST-03'],
    also: ['PTH-02'],
    target: 'dual.test:9989',
  },
  {
    id: 'X14',
    title: 'the only IPv6 address is deprecated',
    recipe: {
      setup: { W: ['ip -6 addr change 2a00:1::2/64 dev wr preferred_lft 0 valid_lft 1000'] },
      listeners: listening,
    },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['HST-02', 'HST-04'],
    also: ['HST-02', 'HST-04'],
    target: 'dual.test:9989',
  },
  {
    id: 'X15',
    title: 'a local address alone, and a global target',
    recipe: {
      setup: {
        W: [
          'ip -6 addr flush dev wr scope global',
          'ip -6 addr add fd77:1::2/64 dev wr nodad',
          'ip -6 route replace default via fe80::1 dev wr',
        ],
        R: ['ip -6 addr add fe80::1/64 dev rw nodad'],
      },
      listeners: listening,
    },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['HST-04'],
    also: ['PTH-02', 'HST-02', 'PTH-01'],
    target: 'dual.test:9989',
  },
  {
    id: 'X16',
    title: 'a link that is too small for IPv6',
    recipe: { setup: { W: ['ip link set wr mtu 1200'] }, listeners: listening },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['HST-11'],
    also: ['HST-01', 'HST-02', 'HST-03', 'PTH-02'],
    target: 'dual.test:9989',
  },
  {
    id: 'X17',
    title: 'addresses of other hosts can be bound',
    recipe: { setup: { W: ['sysctl -qw net.ipv6.ip_nonlocal_bind=1'] } },
    doctor: ['listen', '[2a00:1::99]:9989'],
    root: ['HST-07'],
    also: ['LSN-06'],
  },
  {
    id: 'X18',
    title: 'connections to the master have used up the ports for outgoing ones',
    recipe: {
      setup: { W: ['sysctl -qw net.ipv4.ip_local_port_range="50000 50001"'] },
      listeners: listening,
      // What sleeps holds both connections open.
      after: { W: [`exec 3<>/dev/tcp/${M6}/9989 4<>/dev/tcp/${M6}/9989`, 'sleep 60 > /dev/null 2>&1 &'] },
    },
    doctor: reach(`[${M6}]:9989`),
    root: ['LIM-02'],
    also: ['PTH-01', 'PTH-04'],
    target: `[${M6}]:9989`,
    verdict: 'unreachable',
  },
  {
    id: 'X18l',
    title: 'programs listen on every port for outgoing connections',
    recipe: {
      setup: { W: ['sysctl -qw net.ipv4.ip_local_port_range="50000 50001"'] },
      listeners: {
        ...listening,
        W: [
          { host: '::', port: 50000 },
          { host: '::', port: 50001 },
        ],
      },
    },
    doctor: reach(`[${M6}]:9989`),
    root: ['LIM-02'],
    also: ['PTH-01', 'PTH-04'],
    target: `[${M6}]:9989`,
    verdict: 'unreachable',
  },
  {
    id: 'X19',
    title: 'NODE_TLS_REJECT_UNAUTHORIZED=0',
    recipe: { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } },
    doctor: ['host'],
    root: ['LIM-07'],
  },
  {
    id: 'X20',
    title: 'NODE_OPTIONS puts IPv4 first',
    recipe: { env: { NODE_OPTIONS: '--dns-result-order=ipv4first' }, listeners: listening },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['HST-12', 'LIM-07'],
    also: ['HST-12', 'LIM-07'],
    fact: true,
    target: 'dual.test:9989',
  },
  {
    id: 'X21',
    title: 'IPv6 is off on the one interface that leads out',
    recipe: { setup: { W: ['echo 1 > /proc/sys/net/ipv6/conf/wr/disable_ipv6'] }, listeners: listening },
    doctor: ['ipv6', 'dual.test:9989', '--protocol', 'tcp'],
    root: ['HST-05'],
    also: ['HST-02', 'HST-03', 'PTH-02'],
    target: 'dual.test:9989',
  },
  {
    id: 'X22',
    title: 'a listener whose queue is full; at the listener',
    recipe: { listeners: { W: [{ host: '::', port: 9989, does: { full: true } }] } },
    doctor: ['listen', '[::]:9989'],
    root: ['LSN-11'],
    also: ['LSN-02', 'LSN-03'],
  },
  {
    id: 'X23',
    title: 'a listener on loopback alone, while workers come from elsewhere',
    recipe: {
      listeners: {
        W: [
          { host: '127.0.0.1', port: 9989 },
          { host: '::1', port: 9989, ipv6Only: true },
        ],
      },
      files: {
        'master.yaml': `listen: { workers: "localhost:9989", web: "localhost:8010" }\nreach: ["${W4}:9989"]\nstore: sqlite:state.sqlite\n`,
      },
    },
    doctor: ['listen'],
    root: ['LSN-08', 'LSN-04'],
    also: ['LSN-04'],
  },
  {
    id: 'X24',
    title: 'brackets are missing around an address and its port',
    recipe: { files: { 'worker.yaml': 'name: w1\nmaster: "::1:9989"\n' } },
    doctor: [],
    root: ['CFG-02'],
    also: ['CFG-01'],
  },
  {
    id: 'X25',
    title: 'a name to listen on',
    recipe: {
      files: {
        'master.yaml':
          'listen: { workers: "farm.test:9989", web: "localhost:8010" }\nstore: sqlite:state.sqlite\n',
      },
    },
    doctor: ['config'],
    root: ['CFG-03'],
    also: ['CFG-01'],
  },
  {
    id: 'X26',
    title: "this host's own name is on 127.0.1.1, and the listener is elsewhere",
    recipe: {
      etc: { hosts: '127.0.1.1 lab-host' },
      under: ['unshare', '--uts', 'sh', '-c', 'hostname lab-host; exec "$0" "$@"'],
      listeners: { W: [{ host: W4, port: 9989 }] },
    },
    doctor: ['ipv6', 'lab-host:9989', '--listen', `${W4}:9989`, '--protocol', 'tcp'],
    root: ['DNS-08'],
    also: ['DNS-07', 'PTH-04', 'PTH-01', 'DNS-04'],
  },
  {
    id: 'X27',
    title: 'NAT64: the nameserver makes AAAA records, and nothing translates',
    recipe: {
      plan: 'nat64',
      setup: {
        R: [
          'kill $(cat "$STAGE/tayga/pid" 2> /dev/null) 2> /dev/null || pkill -x tayga; ip link set nat64 down',
        ],
      },
      listeners: { M: [{ host: '0.0.0.0', port: 9989 }] },
    },
    doctor: reach('four.test:9989'),
    root: ['HST-09'],
    also: ['PTH-01', 'PTH-04'],
    target: 'four.test:9989',
  },
  {
    id: 'X28',
    title: 'NAT64, and an IPv4 literal that no name stands for',
    recipe: { plan: 'nat64', listeners: { M: [{ host: '0.0.0.0', port: 9989 }] } },
    doctor: reach(`${M4}:9989`),
    root: ['HST-09', 'HST-08'],
    also: ['PTH-01', 'CFG-05'],
    target: `${M4}:9989`,
  },
  {
    id: 'X29',
    title: 'the default route leads to a router that is not there',
    recipe: {
      setup: { W: ['ip -6 route replace default via 2a00:1::99 dev wr'] },
      listeners: listening,
    },
    doctor: reach('dual.test:9989'),
    root: ['PTH-02'],
    also: ['HST-03', 'PTH-01', 'PTH-03'],
    target: 'dual.test:9989',
    verdict: 'degraded',
  },
  {
    id: 'X30',
    title: 'a program of a farm without IPv6, and nothing that needs it (no fault)',
    recipe: { setup: { W: [NO_IPV6] }, master },
    doctor: ['reach', 'dual.test:9989'],
    root: [],
    target: 'dual.test:9989',
  },
  {
    id: 'X31',
    title: 'a firewall before the nameserver lets no UDP through',
    recipe: {
      setup: { R: filter('input', 'udp dport 53 drop') },
      listeners: listening,
      programs: ['nft'],
    },
    doctor: reach('dual.test:9989'),
    root: ['DNS-01'],
    also: ['DNS-02', 'DNS-11'],
    target: 'dual.test:9989',
  },
];
