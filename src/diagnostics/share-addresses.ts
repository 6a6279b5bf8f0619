import ipaddr from 'ipaddr.js';
import { kindOf } from '../net/address-kind.ts';

/** Numbers things by their first appearance, from 1. */
export function numbering(): (key: string) => number {
  const numbers = new Map<string, number>();
  return (key) => {
    const known = numbers.get(key) ?? numbers.size + 1;
    numbers.set(key, known);
    return known;
  };
}

/**
 * Gives each address another one of the same family and scope; what shares a /48 or /64 (IPv4: a /16 or /24) shares it there too. Loopback,
 * unspecified, multicast and documentation addresses tell nothing of anybody and stay. Undefined for what is no address.
 */
export function addressPseudonyms(): (address: string) => string | undefined {
  const within = new Map<string, (key: string) => number>();
  /** The number of a part among those that share the parts before it. */
  const place = (space: string, part: string) => {
    const numbers = within.get(space) ?? numbering();
    within.set(space, numbers);
    return numbers(part);
  };

  const four = (bytes: readonly number[], kind: string): string => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    const wide = place(`4 ${kind} ${kind === 'private' ? a : ''}`, `${a}.${b}`);
    const net = place(`4 ${a}.${b}`, `${c}`);
    const host = 1 + (place(`4 ${a}.${b}.${c}`, `${d}`) % 254);
    if (kind === 'link-local') return `169.254.${net % 256}.${host}`;
    if (kind !== 'private') {
      // RFC 2544's networks for measurements: of nobody, and as many /24s as a report may hold.
      const flat = place('4 global', `${a}.${b}.${c}`);
      return `198.${18 + ((flat >> 8) % 2)}.${flat % 256}.${host}`;
    }
    if (a === 192) return `192.168.${net % 256}.${host}`;
    if (a === 172) return `172.${16 + (wide % 16)}.${net % 256}.${host}`;
    if (a === 100) return `100.${64 + (wide % 64)}.${net % 256}.${host}`;
    return `10.${wide % 256}.${net % 256}.${host}`;
  };

  const six = (parts: readonly number[], kind: string): string => {
    const hex = parts.map((part) => part.toString(16));
    const site = hex.slice(0, 3).join(':');
    const net = hex.slice(0, 4).join(':');
    const host = place(`6 ${net}`, hex.slice(4).join(':')).toString(16);
    if (kind === 'link-local') return `fe80::${host}`;
    const first = kind === 'ula' ? 'fd00:0:' : '2001:db8:';
    const numbers = [place(`6 ${kind}`, site), place(`6 ${site}`, net)].map((one) => one.toString(16));
    return `${first}${numbers.join(':')}::${host}`;
  };

  return (text) => {
    if (!ipaddr.isValid(text) || (!text.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(text)))
      return undefined;
    const address = ipaddr.parse(text);
    const kind = kindOf(text);
    // A slip such as ::1:9989 for [::1]:9989, which the report is about.
    if (address.kind() === 'ipv6' && (address as ipaddr.IPv6).parts.slice(0, 6).every((part) => part === 0))
      return text;
    if (['loopback', 'unspecified', 'multicast', 'documentation'].includes(kind)) return text;
    const bytes = address.toByteArray();
    if (address.kind() === 'ipv4') return four(bytes, kind);
    // Addresses that carry an IPv4 address: mapped, translated (RFC 6052).
    if (kind === 'mapped') return `::ffff:${four(bytes.slice(12), kindOf(bytes.slice(12).join('.')))}`;
    if (address.range() === 'rfc6052')
      return `64:ff9b::${four(bytes.slice(12), kindOf(bytes.slice(12).join('.')))}`;
    return six((address as ipaddr.IPv6).parts, kind);
  };
}
