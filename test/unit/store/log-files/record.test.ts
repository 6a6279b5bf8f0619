import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countLines } from '../../../../src/store/log-files/record.ts';

it('counts the newlines of any bytes, wherever they stand in memory', () => {
  const nearly = fc.constantFrom(9, 10, 10, 11, 0, 0x8a, 0x0b, 0xf5, 255);
  fc.assert(
    fc.property(fc.array(nearly, { maxLength: 70 }), fc.nat(7), fc.nat(7), (values, from, less) => {
      const bytes = Uint8Array.from(values).subarray(from, Math.max(from, values.length - less));
      expect(countLines(bytes)).toBe(bytes.filter((byte) => byte === 10).length);
    }),
  );
});
