import fc from 'fast-check';
import { isIPv6 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { printHostPort, printIpv6 } from '../../../../src/net/endpoint/host.ts';
import { ipv6 } from './arbitrary.ts';

describe('printIpv6', () => {
  // RFC 5952 section 4 and 5.
  it.each([
    ['2001:0DB8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['FE80::1%eth0', 'fe80::1%eth0'],
  ])('prints %s as %s', (text, printed) => {
    expect(printIpv6(text)).toBe(printed);
  });

  it('prints every address to a text that means the same and prints as itself', () => {
    fc.assert(
      fc.property(ipv6, (text) => {
        const printed = printIpv6(text);
        expect(isIPv6(printed)).toBe(true);
        expect(printIpv6(printed)).toBe(printed);
        expect(printHostPort(printed, 1)).toBe(`[${printed}]:1`);
      }),
    );
  });
});
