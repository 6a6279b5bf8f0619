/**
 * Whether `got` is what two channels give that are written one after the other in any way: all of both (`whole`), or each up to some
 * point. Neither can be told apart at a glance, since a piece of one may end in the middle of a line; so every way to read the bytes is followed. Gives
 * the first byte that fits neither (`got.length` when bytes are missing at the end), or undefined when all is right.
 */
export function firstWrong(
  got: Uint8Array,
  [one, other]: readonly [Uint8Array, Uint8Array],
  whole: boolean,
): number | undefined {
  // Numbers of bytes of `one` that may have been read when `at` bytes of `got` were: mostly `taken` alone, and then there is no set of them.
  let taken = 0;
  let ways: Set<number> | undefined;
  for (let at = 0; at < got.length; at += 1) {
    const byte = got[at];
    if (ways === undefined) {
      const fitsOne = one[taken] === byte;
      const fitsOther = other[at - taken] === byte;
      if (fitsOne && fitsOther) ways = new Set([taken + 1, taken]);
      else if (fitsOne) taken += 1;
      else if (!fitsOther) return at;
      continue;
    }
    const next = new Set<number>();
    for (const way of ways) {
      if (one[way] === byte) next.add(way + 1);
      if (other[at - way] === byte) next.add(way);
    }
    if (next.size === 0) return at;
    if (next.size > 1) ways = next;
    else {
      [taken] = next as unknown as [number];
      ways = undefined;
    }
  }
  if (!whole) return undefined;
  const all = ways?.has(one.length) ?? taken === one.length;
  return all && got.length === one.length + other.length ? undefined : got.length;
}
