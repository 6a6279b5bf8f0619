import { reverseName } from '../../../src/net/dns/reverse.ts';
import type { HostName, Nameserver, Names, Plan } from './recipe.ts';

/** Where things are under a plan. */
export interface Network {
  /** Of W, R toward W, R toward M, M; null: it has none of that family. */
  readonly four: { readonly W: string; readonly R: string; readonly RM: string; readonly M: string } | null;
  readonly six: { readonly W: string; readonly R: string; readonly RM: string; readonly M: string } | null;
  /** Shell for each host, behind that which gives addresses and routes. */
  readonly lines: Partial<Record<HostName, readonly string[]>>;
  readonly nameservers: readonly Nameserver[];
}

const FOUR = { W: '11.0.1.2', R: '11.0.1.1', RM: '11.0.2.1', M: '11.0.2.2' };
const SIX = { W: '2a00:1::2', R: '2a00:1::1', RM: '2a00:2::1', M: '2a00:2::2' };
const LOCAL_FOUR = { W: '10.77.1.2', R: '10.77.1.1', RM: '10.77.2.1', M: '10.77.2.2' };
const LOCAL_SIX = { W: 'fd77:1::2', R: 'fd77:1::1', RM: 'fd77:2::1', M: 'fd77:2::2' };
const BRIDGE = { W: '172.17.0.2', R: '172.17.0.1', RM: '11.0.2.1', M: '11.0.2.2' };
const NAT64 = '64:ff9b::';

export const NO_IPV6 = 'for one in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 > "$one"; done';
const TAYGA = [
  'tun-device nat64',
  'ipv4-addr 11.0.3.1',
  `prefix ${NAT64}/96`,
  'dynamic-pool 11.0.3.0/24',
  'data-dir $STAGE/tayga',
];

const given: Record<Plan, Omit<Network, 'nameservers'>> = {
  dual: { four: FOUR, six: SIX, lines: {} },
  v4: { four: FOUR, six: null, lines: { W: [NO_IPV6], M: [NO_IPV6] } },
  v6: { four: null, six: SIX, lines: {} },
  // W has IPv6 alone, M has IPv4 alone; the router translates (RFC 7915) and its nameserver makes the AAAA records.
  nat64: {
    four: FOUR,
    six: SIX,
    lines: {
      W: [
        'ip addr flush dev wr scope global',
        `ip -6 addr add ${SIX.W}/64 dev wr nodad`,
        `ip -6 route replace default via ${SIX.R}`,
      ],
      M: [NO_IPV6],
      R: [
        'mkdir -p "$STAGE/tayga"',
        `printf '%s\\n' ${TAYGA.map((line) => (line.includes('$') ? `"${line}"` : `'${line}'`)).join(' ')} > "$STAGE/tayga.conf"`,
        'tayga --config "$STAGE/tayga.conf" --mktun > /dev/null',
        'ip link set nat64 up; ip route add 11.0.3.0/24 dev nat64; ip -6 route add 64:ff9b::/96 dev nat64',
        'tayga --config "$STAGE/tayga.conf" --nodetach > "$STAGE/tayga.log" 2>&1 &',
      ],
    },
  },
  ula: { four: LOCAL_FOUR, six: LOCAL_SIX, lines: {} },
  // Nothing passes the router but what its proxy carries.
  'connect-proxy': {
    four: FOUR,
    six: SIX,
    lines: {
      R: [
        'nft add table inet lab',
        "nft 'add chain inet lab forward { type filter hook forward priority 0; policy drop; }'",
        `printf '%s\\n' 'Port 3128' 'Timeout 60' 'MaxClients 20' 'ConnectPort 9989' 'ConnectPort 443' > "$STAGE/tinyproxy.conf"`,
        'tinyproxy -d -c "$STAGE/tinyproxy.conf" > "$STAGE/tinyproxy.log" 2>&1 &',
      ],
    },
  },
  // The master's port is closed to W; what leads there is a forward on W's own loopback, and the way has a tunnel's MTU.
  tunnel: {
    four: FOUR,
    six: SIX,
    lines: { W: ['ip link set wr mtu 1420'], R: ['ip link set rw mtu 1420'] },
  },
  // What Docker gives: private IPv4 behind a NAT, IPv6 switched off on the interface alone.
  container: {
    four: BRIDGE,
    six: null,
    lines: {
      W: ['echo 1 > /proc/sys/net/ipv6/conf/wr/disable_ipv6'],
      R: [
        'nft add table ip lab',
        "nft 'add chain ip lab out { type nat hook postrouting priority 100; }'",
        'nft add rule ip lab out oifname rm masquerade',
      ],
    },
  },
};

/** The network of a plan, its nameserver knowing `names` beside its own. */
export function networkOf(plan: Plan, names: Names = {}): Network {
  const network = given[plan];
  const { four, six } = network;
  const A = four === null ? [] : [four.M];
  // Behind NAT64 the master has IPv4 alone.
  const AAAA = six === null || plan === 'nat64' ? [] : [six.M];
  const own: Names = {
    'dual.test': { A, AAAA },
    'four.test': { A },
    'six.test': { AAAA },
    // W has a name that leads back to it.
    'w.test': {
      A: four === null ? [] : [four.W],
      AAAA: six === null ? [] : [six.W],
    },
    ...Object.fromEntries(
      [four?.W, six?.W].flatMap((address) =>
        address === undefined ? [] : [[reverseName(address), { PTR: ['w.test'] }]],
      ),
    ),
    'ipv4only.arpa': { A: ['192.0.0.170', '192.0.0.171'] },
  };
  const nameserver: Nameserver = {
    at: addressesOfRouter(network),
    names: { ...own, ...names },
    ...(plan === 'nat64' ? { dns64: NAT64 } : {}),
  };
  return { ...network, nameservers: [nameserver] };
}

/** The router's, as W sees them. */
export function addressesOfRouter({ four, six }: Pick<Network, 'four' | 'six'>): string[] {
  return [four?.R, six?.R].filter((address) => address !== undefined);
}

/** What resolv.conf of W names. */
export function nameserversFor(plan: Plan): string[] {
  const { four, six } = given[plan];
  if (plan === 'nat64' || four === null) return six === null ? [] : [six.R];
  return [four.R];
}

/** Shell that makes the three hosts and the two links between them. */
export function linesOf(plan: Plan): string[] {
  const { four, six } = given[plan];
  const lines = [
    'for n in W R M; do ip netns add $n; ip -n $n link set lo up; done',
    'ip link add wr netns W type veth peer name rw netns R',
    'ip link add mr netns M type veth peer name rm netns R',
    'ip netns exec R sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1',
    // Who still asks for a second whether his link-local address is free sends nothing on, and the first packet is lost.
    'for l in "W wr" "R rw" "R rm" "M mr"; do set -- $l; ip netns exec $1 sysctl -qw net.ipv6.conf.$2.accept_dad=0; ip -n $1 link set $2 up; done',
  ];
  const ends = [
    ['W', 'wr', 'W'],
    ['R', 'rw', 'R'],
    ['R', 'rm', 'RM'],
    ['M', 'mr', 'M'],
  ] as const;
  for (const [host, device, end] of ends) {
    if (four !== null) lines.push(`ip -n ${host} addr add ${four[end]}/24 dev ${device}`);
    if (six !== null) lines.push(`ip -n ${host} -6 addr add ${six[end]}/64 dev ${device} nodad`);
  }
  for (const [host, device, end] of [
    ['W', 'wr', 'R'],
    ['M', 'mr', 'RM'],
  ] as const) {
    if (four !== null) lines.push(`ip -n ${host} route add default via ${four[end]}`);
    if (six !== null) lines.push(`ip -n ${host} -6 route add default via ${six[end]} dev ${device}`);
  }
  return lines;
}
