import { isDeepStrictEqual } from 'node:util';
import { effectiveMaster } from './effective.ts';
import type { MasterConfig } from './master-config.ts';
import { printKeyPath } from './problem.ts';

/** What becomes different when a master takes over a configuration. */
export interface Difference {
  /** One sentence for each change, in the order of the file. */
  changes: string[];
  /** Keys among them that count only after a restart. */
  restart: string[];
}

/** What is opened once, at the start. */
const NEEDS_RESTART: readonly (readonly string[])[] = [['listen'], ['store']];
/** Tables whose entries are things of their own. */
const THINGS: Readonly<Record<string, string>> = {
  workers: 'worker',
  repositories: 'repository',
  schedulers: 'scheduler',
  builders: 'builder',
  secrets: 'secret',
};
/** Longest value that a sentence shows. */
const SHOWN = 60;

/** Compares two checked configurations; pure. Equal ones give no changes. */
export function difference(before: MasterConfig, after: MasterConfig): Difference {
  const [old, fresh] = [effectiveMaster(before), effectiveMaster(after)];
  const changes: string[] = [];
  const restart: string[] = [];
  for (const key of new Set([...Object.keys(old), ...Object.keys(fresh)])) {
    const thing = THINGS[key];
    if (thing !== undefined) {
      changes.push(...entries(thing, object(old[key]), object(fresh[key])));
      continue;
    }
    for (const { path, from, to } of leaves([key], old[key], fresh[key])) {
      const name = printKeyPath(path);
      const late = NEEDS_RESTART.some((prefix) => prefix.every((part, index) => part === path[index]));
      if (late) restart.push(name);
      changes.push(`${name}: ${shown(from)} becomes ${shown(to)}${late ? ' (after a restart)' : ''}`);
    }
  }
  return { changes, restart };
}

function entries(thing: string, old: Record<string, unknown>, fresh: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(fresh)])].flatMap((name) => {
    if (!Object.hasOwn(old, name)) return [`${thing} "${name}" is added`];
    if (!Object.hasOwn(fresh, name)) return [`${thing} "${name}" is removed`];
    if (isDeepStrictEqual(old[name], fresh[name])) return [];
    const what = [...new Set(leaves([], old[name], fresh[name]).map(({ path }) => String(path[0])))];
    return [`${thing} "${name}" changes: ${what.join(', ')}`];
  });
}

interface Leaf {
  path: string[];
  from: unknown;
  to: unknown;
}

function leaves(path: string[], from: unknown, to: unknown): Leaf[] {
  if (isDeepStrictEqual(from, to)) return [];
  if (!isTable(from) || !isTable(to)) return [{ path, from, to }];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
    leaves([...path, key], from[key], to[key]),
  );
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function object(value: unknown): Record<string, unknown> {
  return isTable(value) ? value : {};
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`;
}
