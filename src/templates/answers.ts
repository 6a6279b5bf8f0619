import { z } from 'zod';

/**
 * What a call of `create-master` or `create-worker` was given, by flag name: only what was given, no defaults, so that the same call
 * is the same call on another day and with another version. Of secrets only what identifies them is in it.
 */
export type Answers = Readonly<Record<string, string | readonly string[]>>;

const file = z.object({
  v: z.literal(1),
  role: z.enum(['master', 'worker']),
  answers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
});

export function parseAnswers(text: string): { role: 'master' | 'worker'; answers: Answers } | undefined {
  try {
    const parsed = file.safeParse(JSON.parse(text));
    return parsed.success ? { role: parsed.data.role, answers: parsed.data.answers } : undefined;
  } catch {
    return undefined;
  }
}

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
