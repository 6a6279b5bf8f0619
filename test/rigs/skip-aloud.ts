/**
 * For `skipIf`: whether tests must be left out for want of something that this machine has or lets its users do (`want` says what; undefined:
 * it has all). It is said aloud, and in CI it is a failure: there nothing is skipped unseen.
 */
export function skipAloud(tests: string, want: string | undefined, cause?: unknown): boolean {
  if (want === undefined) return false;
  const words = `${tests}: ${want}`;
  if (process.env['CI'] === 'true') throw new Error(`${words}; in CI nothing may be skipped`, { cause });
  process.stderr.write(`SKIPPED: ${words}\n`);
  return true;
}

/** What only root can try: to be another user of the machine. */
export const wantOfRoot = process.geteuid?.() === 0 ? undefined : 'only root can be somebody else';
/** What asks /proc, namespaces or limits. */
export const wantOfLinux = process.platform === 'linux' ? undefined : 'only Linux has this';
