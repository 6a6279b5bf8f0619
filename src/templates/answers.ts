/**
 * What a call of `create-master` or `create-worker` was given, by flag name: only what was given, no defaults, so that the same call
 * is the same call on another day and with another version. Of secrets only what identifies them is in it.
 */
export type Answers = Readonly<Record<string, string | readonly string[]>>;

/** Reads what `printAnswers` wrote; undefined for anything else. */
export function parseAnswers(text: string): { role: 'master' | 'worker'; answers: Answers } | undefined {
  const record = parseObject(text);
  if (record?.['v'] !== 1 || (record['role'] !== 'master' && record['role'] !== 'worker')) return undefined;
  const { role, answers } = record;
  if (typeof answers !== 'object' || answers === null || !Object.values(answers).every(isAnswer))
    return undefined;
  return { role, answers: answers as Answers };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isAnswer(value: unknown): boolean {
  return (
    typeof value === 'string' || (Array.isArray(value) && value.every((text) => typeof text === 'string'))
  );
}

/** The file of answers as it stands on the disk. */
export function printAnswers(record: { role: 'master' | 'worker'; answers: Answers }): string {
  return `${JSON.stringify({ v: 1, ...record }, null, 2)}\n`;
}

/** What differs between two calls, one sentence each; empty when they are the same. */
export function differencesOf(before: Answers, now: Answers): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.flatMap((name) => {
    const [old, fresh] = [shown(before[name]), shown(now[name])];
    return old === fresh ? [] : [`--${name}: ${old} before, ${fresh} now`];
  });
}

function shown(value: string | readonly string[] | undefined): string {
  if (value === undefined) return 'not given';
  return typeof value === 'string'
    ? JSON.stringify(value)
    : value.map((text) => JSON.stringify(text)).join(' ');
}
