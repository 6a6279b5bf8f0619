/** Parsers of Linux's files under /proc/net. Pure; a line that has another form than the kernel's is left out, never guessed at. */
import { familyOf, printHostPort, printIpv6 } from './endpoint/host.ts';

export interface TcpRow {
  family: 4 | 6;
  localAddress: string;
  localPort: number;
  remoteAddress: string;
  remotePort: number;
  /** `0A` is LISTEN, `01` ESTABLISHED. */
  state: string;
  /** Bytes on their way out; for a listener its backlog. */
  transmitQueue: number;
  /** Bytes not read yet; for a listener the connections not accepted yet. */
  receiveQueue: number;
  uid: number;
  inode: number;
}

/** The state of a listening socket in that table (TCP_LISTEN of the kernel). */
export const LISTEN = '0A';

/** /proc/net/tcp and /proc/net/tcp6, which differ in the width of an address only. */
export function parseTcpTable(text: string): TcpRow[] {
  const rows: TcpRow[] = [];
  for (const line of text.split('\n')) {
    const match =
      /^\s*\d+: ([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4}) ([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4}) ([\dA-F]{2}) ([\dA-F]{8}):([\dA-F]{8}) \S+ \S+\s+(\d+)\s+\d+ (\d+)/.exec(
        line,
      );
    if (match === null) continue;
    const [, local = '', localPort = '', remote = '', remotePort = '', state = ''] = match;
    rows.push({
      family: local.length === 8 ? 4 : 6,
      localAddress: readWords(local),
      localPort: Number.parseInt(localPort, 16),
      remoteAddress: readWords(remote),
      remotePort: Number.parseInt(remotePort, 16),
      state,
      transmitQueue: Number.parseInt(match[6] ?? '', 16),
      receiveQueue: Number.parseInt(match[7] ?? '', 16),
      uid: Number(match[8]),
      inode: Number(match[9]),
    });
  }
  return rows;
}

/** The kernel prints each 32-bit word of an address in the byte order of the host, which is little-endian wherever Node runs. */
function readWords(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  return printBytes(bytes);
}

function printBytes(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return printIpv6(groups.join(':'));
}

function readHex(hex: string): string {
  return printBytes((hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)));
}

/** Listeners of one port, printed, the first of them those that overlap `host` for certain. */
export function listenersOn(rows: readonly TcpRow[], port: number, host?: string): string[] {
  const held = rows.filter((row) => row.state === LISTEN && row.localPort === port);
  const wild = (address: string) => address === '::' || address === '0.0.0.0';
  const family = host === undefined ? 0 : familyOf(host);
  const overlaps = held.filter((row) => {
    if (host === undefined || host === '::') return true;
    if (row.localAddress === '::') return true;
    if (row.family !== family) return false;
    return wild(row.localAddress) || wild(host) || row.localAddress === host;
  });
  return [...new Set(overlaps.map((row) => printHostPort(row.localAddress, port)))];
}

export interface InterfaceAddress {
  interface: string;
  address: string;
  prefixBits: number;
  scope: 'global' | 'link' | 'site' | 'host';
  tentative: boolean;
  /** Duplicate address detection found another host with it. */
  dadFailed: boolean;
  deprecated: boolean;
  temporary: boolean;
}

/** /proc/net/if_inet6. An empty text means a host with IPv6 switched off. */
export function parseIfInet6(text: string): InterfaceAddress[] {
  const rows: InterfaceAddress[] = [];
  for (const line of text.split('\n')) {
    const match = /^([\da-f]{32}) [\da-f]+ ([\da-f]+) ([\da-f]+) ([\da-f]+)\s+(\S+)$/.exec(line.trim());
    if (match === null) continue;
    const [, address = '', bits = '', scope = '', flags = '', name = ''] = match;
    const flag = Number.parseInt(flags, 16);
    rows.push({
      interface: name,
      address: readHex(address),
      prefixBits: Number.parseInt(bits, 16),
      scope: ({ '10': 'host', '20': 'link', '40': 'site' } as const)[scope] ?? 'global',
      temporary: (flag & 0x01) !== 0,
      dadFailed: (flag & 0x08) !== 0,
      deprecated: (flag & 0x20) !== 0,
      tentative: (flag & 0x40) !== 0,
    });
  }
  return rows;
}

export interface Ipv6Route {
  destination: string;
  prefixBits: number;
  gateway: string | undefined;
  metric: number;
  interface: string;
  /** RTF_REJECT: `unreachable`, `prohibit` or `blackhole`. */
  reject: boolean;
  up: boolean;
}

const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

/** /proc/net/ipv6_route. */
export function parseIpv6Routes(text: string): Ipv6Route[] {
  const rows: Ipv6Route[] = [];
  for (const line of text.split('\n')) {
    const match =
      /^([\da-f]{32}) ([\da-f]{2}) [\da-f]{32} [\da-f]{2} ([\da-f]{32}) ([\da-f]{8}) [\da-f]{8} [\da-f]{8} ([\da-f]{8})\s+(\S+)$/.exec(
        line.trim(),
      );
    if (match === null) continue;
    const [, destination = '', bits = '', gateway = '', metric = '', flags = '', name = ''] = match;
    const flag = Number.parseInt(flags, 16);
    rows.push({
      destination: readHex(destination),
      prefixBits: Number.parseInt(bits, 16),
      gateway: /^0+$/.test(gateway) ? undefined : readHex(gateway),
      metric: Number.parseInt(metric, 16),
      interface: name,
      reject: (flag & RTF_REJECT) !== 0,
      up: (flag & RTF_UP) !== 0,
    });
  }
  return rows;
}

/** The routes that lead to the whole of the IPv6 internet; the kernel's own reject route on `lo` is none. */
export function defaultIpv6Routes(routes: readonly Ipv6Route[]): Ipv6Route[] {
  return routes.filter(
    (route) => route.prefixBits === 0 && route.interface !== 'lo' && route.up && !route.reject,
  );
}
