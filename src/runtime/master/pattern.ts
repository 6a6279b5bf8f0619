/**
 * Whether `text` fits a pattern of branches or names: `*` stands for any characters, `/` included (as in Buildbot's and fnmatch's),
 * `?` for one. Everything else stands for itself. Linear in the text for each star, so a hostile pattern costs nothing.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let retry = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p;
      retry = t;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      retry += 1;
      t = retry;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** Whether `text` fits one of the patterns; no patterns at all means everything fits. */
export function matchesAny(patterns: readonly string[] | undefined, text: string): boolean {
  return (
    patterns === undefined || patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, text))
  );
}
