import ipaddr from 'ipaddr.js';

/**
 * The name under which a PTR record for an address stands: `1.2.0.192.in-addr.arpa` (RFC 1035 section 3.5), or the 32 hexadecimal digits
 * of an IPv6 address before `ip6.arpa` (RFC 3596 section 2.5). Throws RangeError for what is no address.
 */
export function reverseName(address: string): string {
  const plain = address.split('%', 1)[0] ?? '';
  if (!ipaddr.isValid(plain)) throw new RangeError(`"${address}" is no address`);
  const bytes = ipaddr.parse(plain).toByteArray();
  if (bytes.length === 4) return `${bytes.toReversed().join('.')}.in-addr.arpa`;
  const digits = Buffer.from(bytes).toString('hex');
  return `${[...digits].toReversed().join('.')}.ip6.arpa`;
}
