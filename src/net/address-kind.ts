import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** What an address is good for, by the registries of RFC 6890, RFC 4291 and RFC 4193. */
export type AddressKind =
  | 'unspecified'
  | 'loopback'
  | 'mapped'
  | 'link-local'
  /** RFC 1918, RFC 6598 and, for IPv6, unique local addresses (`ula`): good inside one site. */
  | 'private'
  | 'ula'
  | 'documentation'
  | '6to4'
  | 'teredo'
  | 'multicast'
  | 'reserved'
  | 'global';

const KINDS: Readonly<Record<string, AddressKind>> = {
  unspecified: 'unspecified',
  loopback: 'loopback',
  linkLocal: 'link-local',
  uniqueLocal: 'ula',
  private: 'private',
  carrierGradeNat: 'private',
  ipv4Mapped: 'mapped',
  '6to4': '6to4',
  teredo: 'teredo',
  multicast: 'multicast',
  unicast: 'global',
  // 64:ff9b::/96 (RFC 6052) is a way to the IPv4 internet, reached through the default route as any other.
  rfc6052: 'global',
};

/** The kind of an address in any text form, its zone aside; `reserved` for what is none of the others, or no address at all. */
export function kindOf(address: string): AddressKind {
  const plain = address.split('%', 1)[0] ?? '';
  if (!ipaddr.isValid(plain)) return 'reserved';
  const parsed = ipaddr.parse(plain);
  if (parsed.kind() === 'ipv6') {
    // 2001:db8::/32 (RFC 3849) and 3fff::/20 (RFC 9637).
    if (parsed.match(ipaddr.parse('2001:db8::'), 32) || parsed.match(ipaddr.parse('3fff::'), 20))
      return 'documentation';
  } else if (
    ['192.0.2.0', '198.51.100.0', '203.0.113.0'].some((net) => parsed.match(ipaddr.parse(net), 24))
  ) {
    return 'documentation';
  }
  return KINDS[parsed.range()] ?? 'reserved';
}

/** Whether an address lies in the prefix that another begins with so many bits of; never for two families, zones, or what is no address. */
export function isWithin(address: string, prefix: string, bits: number): boolean {
  if (isIP(address) === 0 || isIP(address) !== isIP(prefix)) return false;
  const kind = isIP(prefix) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(prefix, bits, kind);
  return list.check(address, kind);
}

/** `localhost` and what is below it (RFC 6761 section 6.3), or a loopback address. */
export function isLoopbackName(host: string): boolean {
  return /^(.*\.)?localhost\.?$/i.test(host) || kindOf(host) === 'loopback';
}
