export interface Candidate {
  address: string;
  family: 4 | 6;
}

/** The addresses still to be tried: families in turn, IPv6 first (RFC 8305 section 4); late ones join the end of their family. */
export function createQueue(): {
  add(family: 4 | 6, addresses: readonly string[]): void;
  take(): Candidate | undefined;
  readonly size: number;
} {
  const waiting: Record<4 | 6, string[]> = { 4: [], 6: [] };
  const seen = new Set<string>();
  let next: 4 | 6 = 6;
  return {
    add(family, addresses) {
      for (const address of addresses) {
        if (!seen.has(address)) waiting[family].push(address);
        seen.add(address);
      }
    },
    take() {
      const family = waiting[next].length > 0 ? next : next === 6 ? 4 : 6;
      const address = waiting[family].shift();
      if (address === undefined) return undefined;
      next = family === 6 ? 4 : 6;
      return { address, family };
    },
    get size() {
      return waiting[4].length + waiting[6].length;
    },
  };
}
