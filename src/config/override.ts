import type { ConfigDocument } from './document.ts';
import { valueAt, type KeyPath } from './key-path.ts';

/** Where a value came from, weakest first: the default, the file, the environment, a flag. */
export type Origin =
  | { kind: 'default' }
  | { kind: 'file'; file: string; line: number | null }
  | { kind: 'environment'; name: string }
  | { kind: 'flag'; name: string };

/** A setting that environment and command line can give over the file. */
export interface Setting {
  path: KeyPath;
  /** As commander names it: `webListen` for `--web-listen`. */
  flag: string;
  type: 'text' | 'list' | 'number';
}

export const MASTER_SETTINGS: readonly Setting[] = [
  { path: ['title'], flag: 'name', type: 'text' },
  { path: ['listen', 'workers'], flag: 'listen', type: 'list' },
  { path: ['listen', 'web'], flag: 'webListen', type: 'list' },
  { path: ['reach'], flag: 'reach', type: 'list' },
  { path: ['url'], flag: 'url', type: 'text' },
  { path: ['store'], flag: 'store', type: 'text' },
];

export const WORKER_SETTINGS: readonly Setting[] = [
  { path: ['name'], flag: 'name', type: 'text' },
  { path: ['master'], flag: 'master', type: 'list' },
  { path: ['via'], flag: 'via', type: 'list' },
  { path: ['maxBuilds'], flag: 'maxBuilds', type: 'number' },
  { path: ['drainTimeout'], flag: 'drainTimeout', type: 'text' },
  { path: ['runAs'], flag: 'runAs', type: 'text' },
];

/** What was given on the command line, by commander's names; several values as a list. */
export type Flags = Readonly<Record<string, string | number | readonly string[] | undefined>>;
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Override {
  path: KeyPath;
  value: unknown;
  origin: Origin & { kind: 'environment' | 'flag' };
}

/** The settings that environment and flags really give; a flag hides the environment. */
export function overridesOf(settings: readonly Setting[], env: Environment, flags: Flags): Override[] {
  return settings.flatMap(({ path, flag, type }): Override[] => {
    const dashed = flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const given = flags[flag];
    if (given !== undefined)
      return [{ path, value: typed(given, type), origin: { kind: 'flag', name: `--${dashed}` } }];
    const name = variableOf(path);
    const value = env[name];
    if (value === undefined || value === '') return [];
    return [{ path, value: typed(value, type), origin: { kind: 'environment', name } }];
  });
}

/**
 * `BBX_CONFIG_LISTEN_WEB` for `listen.web`. The names of flags (`BBX_NAME`, `BBX_MASTER`) are others: what answers a question of `create-master`
 * must not change what a farm that stands is called.
 */
function variableOf(path: KeyPath): string {
  const words = path.map((key) => String(key).replaceAll(/[A-Z]/g, (letter) => `_${letter}`));
  return `BBX_CONFIG_${words.join('_').toUpperCase()}`;
}

function typed(value: string | number | readonly string[], type: Setting['type']): unknown {
  if (type === 'list') return typeof value === 'string' ? value.split(',').map((text) => text.trim()) : value;
  if (type === 'number' && typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value);
  return value;
}

/** The document with overrides laid over it; problems in these name the flag or the variable instead of a place in the file. */
export function overlay(document: ConfigDocument, overrides: readonly Override[]): ConfigDocument {
  if (overrides.length === 0 || (document.value === undefined && document.problems.length > 0))
    return document;
  const root = structuredClone(document.value ?? {});
  if (typeof root !== 'object' || Array.isArray(root) || root === null) return document;
  for (const { path, value } of overrides) put(root as Record<string, unknown>, path, value);
  const overriding = (path: readonly PropertyKey[]) =>
    overrides.find((override) => override.path.every((part, index) => part === path[index]));
  return {
    ...document,
    value: root,
    fileOf: (path) => overriding(path)?.origin.name ?? document.fileOf(path),
    locate: (path, what) => (overriding(path) === undefined ? document.locate(path, what) : null),
    written: (path) => (overriding(path) === undefined ? document.written(path) : null),
  };
}

function put(root: Record<string, unknown>, path: KeyPath, value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    root[head] = value;
    return;
  }
  const inner = root[head] ?? {};
  // A wrong shape stays: the schema's complaint about it is the one to be heard.
  if (typeof inner !== 'object' || Array.isArray(inner)) return;
  root[head] = inner;
  put(inner as Record<string, unknown>, rest, value);
}

/** Where the value at a path came from. */
export function originOf(
  document: ConfigDocument,
  overrides: readonly Override[],
  path: readonly PropertyKey[],
): Origin {
  const override = overrides.find((one) => one.path.every((part, index) => part === path[index]));
  if (override !== undefined) return override.origin;
  if (valueAt(document.value, path) === undefined) return { kind: 'default' };
  return { kind: 'file', file: document.file, line: document.locate(path, 'key')?.line ?? null };
}
