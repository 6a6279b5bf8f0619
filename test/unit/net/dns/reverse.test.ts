import { expect, it } from 'vitest';
import { reverseName } from '../../../../src/net/dns/reverse.ts';

it.each([
  ['192.0.2.1', '1.2.0.192.in-addr.arpa'],
  // The example of RFC 3596.
  ['4321:0:1:2:3:4:567:89ab', 'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa'],
  ['fe80::1%eth0', `1.${'0.'.repeat(28)}8.e.f.ip6.arpa`],
])('the reverse of %s is %s', (address, name) => {
  expect(reverseName(address)).toBe(name);
});

it('is none for what is no address', () => {
  expect(() => reverseName('ci.example')).toThrow(RangeError);
});
