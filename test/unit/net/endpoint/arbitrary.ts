import fc from 'fast-check';

/** What property tests draw addresses from. */
export const port = fc.integer({ min: 1, max: 65_535 });
export const ipv6 = fc.oneof(
  fc.ipV6(),
  fc.ipV6().map((text) => text.toUpperCase()),
);
export const hostname = fc.domain().map((name) => name.toLowerCase());
