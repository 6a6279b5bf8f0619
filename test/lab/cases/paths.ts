import type { LabCase } from './case.ts';

const M4 = '11.0.2.2';
const M6 = '2a00:2::2';
const listening = { M: [{ host: '::', port: 9989 }] };
const reach = (target: string) => ['reach', target, '--protocol', 'tcp'];

/** Shell that makes a filter on a hook, with rules. */
export const filter = (hook: 'forward' | 'output' | 'input', ...rules: string[]): string[] => [
  'nft add table inet fault',
  `nft 'add chain inet fault here { type filter hook ${hook} priority 0; }'`,
  ...rules.map((rule) => `nft 'add rule inet fault here ${rule}'`),
];

const TO_MASTER = 'tcp dport 9989';
/** A small link, and nobody is told that his packets are too big for it. */
export const SMALL_LINK = [
  'ip link set rm mtu 1280',
  ...filter('output', 'icmpv6 type packet-too-big drop', 'icmp type destination-unreachable drop'),
];

const onRouter = (
  id: string,
  title: string,
  rules: readonly string[],
  rest: Pick<LabCase, 'root'> & Partial<LabCase>,
): LabCase => ({
  id,
  title,
  recipe: { setup: { R: filter('forward', ...rules) }, listeners: listening, programs: ['nft'] },
  doctor: reach('dual.test:9989'),
  target: 'dual.test:9989',
  ...rest,
});
const unreachable = {
  root: ['PTH-04', 'PTH-01'],
  also: ['PTH-04', 'PTH-01'],
  verdict: 'unreachable',
} as const;

/** What happens to packets on the way. */
export const PATHS: readonly LabCase[] = [
  {
    id: 'F11',
    title: 'a dead AAAA beside a good A',
    recipe: { names: { 'half.test': { A: [M4], AAAA: ['2a00:2::dead'] } }, listeners: listening },
    doctor: reach('half.test:9989'),
    root: ['PTH-02'],
    also: ['PTH-01', 'PTH-03'],
    target: 'half.test:9989',
    verdict: 'degraded',
  },
  {
    id: 'F12',
    title: 'no address answers',
    recipe: {
      names: { 'dead.test': { A: ['11.0.2.99'], AAAA: ['2a00:2::dead'] } },
      listeners: listening,
    },
    doctor: reach('dead.test:9989'),
    ...unreachable,
    root: ['PTH-01'],
    target: 'dead.test:9989',
  },
  onRouter('F50', 'the router drops the port over IPv6', [`meta nfproto ipv6 ${TO_MASTER} drop`], {
    root: ['PTH-02'],
    also: ['PTH-01', 'PTH-03', 'PTH-04'],
    verdict: 'degraded',
  }),
  onRouter('F51', 'the router drops the port', [`${TO_MASTER} drop`], { ...unreachable, root: ['PTH-04'] }),
  onRouter(
    'F52',
    'the router rejects the port with a reset',
    [`${TO_MASTER} reject with tcp reset`],
    unreachable,
  ),
  onRouter(
    'F53',
    'the router rejects it as prohibited',
    [`${TO_MASTER} reject with icmpx type admin-prohibited`],
    unreachable,
  ),
  onRouter(
    'F54',
    'the router says that the port is unreachable',
    [`${TO_MASTER} reject with icmpx type port-unreachable`],
    unreachable,
  ),
  {
    id: 'F54b',
    title: "the worker's own firewall drops what goes out",
    recipe: { setup: { W: filter('output', `${TO_MASTER} drop`) }, listeners: listening, programs: ['nft'] },
    doctor: reach('dual.test:9989'),
    ...unreachable,
    root: ['SVC-07'],
    target: 'dual.test:9989',
  },
  {
    id: 'F54c',
    title: "the worker's own firewall rejects what goes out",
    recipe: {
      setup: { W: filter('output', `${TO_MASTER} reject with icmpx type admin-prohibited`) },
      listeners: listening,
      programs: ['nft'],
    },
    doctor: reach('dual.test:9989'),
    ...unreachable,
    root: ['SVC-07'],
    target: 'dual.test:9989',
  },
  {
    id: 'F56',
    title: 'a small link, and packet-too-big is dropped',
    recipe: {
      setup: { R: SMALL_LINK },
      master: { listen: '[::]:9989' },
      programs: ['nft'],
    },
    doctor: ['reach', 'dual.test:9989'],
    root: ['PTH-06'],
    also: ['PRO-09', 'TLS-01', 'PRO-03', 'PTH-05'],
    target: 'dual.test:9989',
  },
  {
    id: 'F56o',
    title: 'a small link, and packet-too-big comes back',
    recipe: {
      setup: { R: ['ip link set rm mtu 1280'], M: ['ip link set mr mtu 1280'] },
      master: { listen: '[::]:9989' },
    },
    doctor: ['reach', 'dual.test:9989'],
    root: [],
    target: 'dual.test:9989',
    verdict: 'reachable',
  },
  {
    id: 'F58',
    title: 'the peer vanishes after the first words',
    recipe: {
      setup: { R: filter('forward', 'tcp dport 9989 quota over 6000 bytes drop') },
      master: { listen: '[::]:9989' },
      programs: ['nft'],
    },
    doctor: ['reach', `[${M6}]:9989`],
    root: ['PRO-09', 'PTH-06'],
    also: ['PRO-03', 'PTH-10', 'PTH-05', 'TLS-01'],
    target: `[${M6}]:9989`,
  },
];
