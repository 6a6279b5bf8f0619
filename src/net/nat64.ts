import ipaddr from 'ipaddr.js';
import { printIpv6 } from './endpoint/host.ts';

/** The name whose A records are known to everybody, so that AAAA records of it show who translates (RFC 7050). */
export const IPV4_ONLY_NAME = 'ipv4only.arpa';

/** Its two A records, RFC 7050 section 8.2. */
const WELL_KNOWN = ['192.0.0.170', '192.0.0.171'].map((text) => ipaddr.parse(text).toByteArray());

/** Lengths of RFC 6052 section 2.2, and where the four bytes of the IPv4 address stand; byte 8 is always zero. */
const LAYOUTS = [
  { bits: 96, at: [12, 13, 14, 15] },
  { bits: 64, at: [9, 10, 11, 12] },
  { bits: 56, at: [7, 9, 10, 11] },
  { bits: 48, at: [6, 7, 9, 10] },
  { bits: 40, at: [5, 6, 7, 9] },
  { bits: 32, at: [4, 5, 6, 7] },
] as const;

/** A prefix behind which a translator reaches IPv4. */
export interface Pref64 {
  /** Without its length, `64:ff9b::`. */
  readonly prefix: string;
  readonly bits: 32 | 40 | 48 | 56 | 64 | 96;
}

/** The prefix in an AAAA record of `ipv4only.arpa`; undefined where no well-known address stands in it. */
export function pref64In(address: string): Pref64 | undefined {
  const bytes = sixteen(address);
  if (bytes === undefined) return undefined;
  const layout = LAYOUTS.find(({ at }) =>
    WELL_KNOWN.some((four) => at.every((place, index) => bytes[place] === four[index])),
  );
  if (layout === undefined) return undefined;
  const kept = bytes.map((byte, index) => (index < layout.bits / 8 ? byte : 0));
  return { prefix: print(kept), bits: layout.bits };
}

/** The IPv6 address by which a translator reaches an IPv4 address. Throws for a text that is no IPv4 address. */
export function synthesize({ prefix, bits }: Pref64, ipv4: string): string {
  const four = ipaddr.IPv4.parse(ipv4).toByteArray();
  const bytes = sixteen(prefix) ?? Array.from({ length: 16 }, () => 0);
  const layout = LAYOUTS.find((one) => one.bits === bits);
  layout?.at.forEach((place, index) => (bytes[place] = four[index] ?? 0));
  return print(bytes);
}

/** Whether an address lies behind the prefix. */
export function isBehind({ prefix, bits }: Pref64, address: string): boolean {
  const bytes = sixteen(address);
  const own = sixteen(prefix);
  return (
    bytes !== undefined && own !== undefined && bytes.slice(0, bits / 8).every((byte, at) => byte === own[at])
  );
}

function sixteen(address: string): number[] | undefined {
  if (!ipaddr.IPv6.isValid(address) || address.includes('%')) return undefined;
  return ipaddr.IPv6.parse(address).toByteArray();
}

function print(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  return printIpv6(groups.join(':'));
}
