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
  // Numbers of bytes of `one` that may have been read when `at` bytes of `got` were; mostly a single one.
  let ways = new Set([0]);
  for (let at = 0; at < got.length; at += 1) {
    const byte = got[at];
    if (ways.size === 1) {
      // The usual case, without making a set for each byte.
      const [taken] = ways as unknown as [number];
      const [fitsOne, fitsOther] = [one[taken] === byte, other[at - taken] === byte];
      if (fitsOne !== fitsOther) {
        if (fitsOne) ways = new Set([taken + 1]);
        continue;
      }
    }
    const next = new Set<number>();
    for (const taken of ways) {
      if (one[taken] === byte) next.add(taken + 1);
      if (other[at - taken] === byte) next.add(taken);
    }
    if (next.size === 0) return at;
    ways = next;
  }
  if (!whole) return undefined;
  return ways.has(one.length) && got.length === one.length + other.length ? undefined : got.length;
}
