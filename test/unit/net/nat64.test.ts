import { describe, expect, it } from 'vitest';
import { isBehind, pref64In, synthesize, type Pref64 } from '../../../src/net/nat64.ts';

/** RFC 6052 section 2.4: the same IPv4 address behind a prefix of each length. */
const EXAMPLES: [prefix: string, bits: Pref64['bits'], whole: string][] = [
  ['2001:db8::', 32, '2001:db8:c000:221::'],
  ['2001:db8:100::', 40, '2001:db8:1c0:2:21::'],
  ['2001:db8:122::', 48, '2001:db8:122:c000:2:2100::'],
  ['2001:db8:122:300::', 56, '2001:db8:122:3c0:0:221::'],
  ['2001:db8:122:344::', 64, '2001:db8:122:344:c0:2:2100:0'],
  ['2001:db8:122:344::', 96, '2001:db8:122:344::c000:221'],
  ['64:ff9b::', 96, '64:ff9b::c000:221'],
];

describe('NAT64', () => {
  it.each(EXAMPLES)('puts 192.0.2.33 behind %s/%d as RFC 6052 does', (prefix, bits, whole) => {
    expect(synthesize({ prefix, bits }, '192.0.2.33')).toBe(whole);
    expect(isBehind({ prefix, bits }, whole)).toBe(true);
    expect(isBehind({ prefix, bits }, '2a00::1')).toBe(false);
  });

  it.each(EXAMPLES)('finds %s/%d in an answer about ipv4only.arpa', (prefix, bits) => {
    for (const known of ['192.0.0.170', '192.0.0.171'])
      expect(pref64In(synthesize({ prefix, bits }, known))).toEqual({ prefix, bits });
  });

  it.each(['2001:db8::1', '192.0.0.170', 'fe80::1%eth0', '', '::'])('finds none in %j', (text) => {
    expect(pref64In(text)).toBeUndefined();
  });
});
