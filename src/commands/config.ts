import { stringify } from 'yaml';
import { didYouMean } from '../base/did-you-mean.ts';
import { controlSocket } from '../config/layout.ts';
import { openClient } from '../client/client.ts';
import { changeFile, meantValue, type Role } from '../config/change.ts';
import { codes } from '../config/codes.ts';
import { isGuess } from '../config/cross-check.ts';
import { knowsKey } from '../config/json-schema.ts';
import { parseKeyPath, valueAt } from '../config/key-path.ts';
import { loadMaster } from '../config/master.ts';
import type { Origin } from '../config/override.ts';
import { printKeyPath, printProblem, type Problem } from '../config/problem.ts';
import { schemaText } from '../config/schema-text.ts';
import { BbxError } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { configDirectory, loadShown } from './config-target.ts';
import { masterDirectory, sameDir, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { answer, note, table } from './terminal/print.ts';

/** With `--json` the problems stand in the answer, `{file, valid, problems}`, and the exit code is 7 all the same. */
export async function checkConfig(context: Context, options: DirOptions): Promise<void> {
  const found = configDirectory(context, options);
  try {
    const { file, warnings } = await loadShown(context, found);
    answer(context, { file, valid: true, problems: warnings }, (_, seen) =>
      [
        ...seen.problems.map((problem) => (isGuess(problem) ? printShort(problem) : printProblem(problem))),
        `${seen.file}: good`,
      ].join('\n'),
    );
  } catch (error) {
    const problems = error instanceof BbxError ? error.data['problems'] : undefined;
    if (!context.json || !Array.isArray(problems)) throw error;
    const { file } = (error as BbxError).data;
    answer(context, { file, valid: false, problems: problems as Problem[] }, () => '');
    throw new Outcome(EXIT.configInvalid);
  }
}

/** `bbx config show`: the whole configuration as it counts. */
export async function showConfig(
  context: Context,
  options: DirOptions & { origin?: boolean },
): Promise<void> {
  const { values, origin, warnings } = await loadShown(context, configDirectory(context, options));
  warn(context, warnings);
  if (options.origin !== true) {
    answer(context, values, (_, seen) => stringify(seen, { lineWidth: 0 }));
    return;
  }
  const rows = leaves([], values).map(({ path, value }) => ({
    key: printKeyPath(path),
    value,
    origin: origin(path),
  }));
  answer(context, rows, (_, seen) =>
    table(
      context,
      [
        { heading: 'KEY', value: ({ key }) => key },
        { heading: 'VALUE', value: ({ value }) => plain(value) },
        { heading: 'FROM', value: (row) => originWords(row.origin) },
      ],
      seen,
    ),
  );
}

/** `bbx config get`: one value of it. */
export async function getConfig(context: Context, key: string, options: DirOptions): Promise<void> {
  const path = parseKeyPath(key);
  const { values, file } = await loadShown(context, configDirectory(context, options));
  const value = valueAt(values, path);
  if (value === undefined) {
    const all = leaves([], values).flatMap((leaf) =>
      leaf.path.map((_, depth) => leaf.path.slice(0, depth + 1)),
    );
    const suggestion = didYouMean(key, new Set(all.map(printKeyPath)));
    throw codes['BBX-CFG-NO-KEY']({ key, file, suggestion });
  }
  answer(context, value, (_, seen) =>
    typeof seen === 'object' ? stringify(seen, { lineWidth: 0 }) : String(seen),
  );
}

/** `bbx config set`: changes one value in the file and leaves the rest of the text as it is. */
export async function setConfig(
  context: Context,
  key: string,
  text: string,
  options: DirOptions,
): Promise<void> {
  const path = parseKeyPath(key);
  const { dir, role } = configDirectory(context, options);
  const value = await meantValue(role, dir, path, text);
  report(context, await changeFile(role, dir, [{ path, value }]), key, nextOf(role, options));
}

/** `bbx config unset`: removes a key from the file. */
export async function unsetConfig(context: Context, key: string, options: DirOptions): Promise<void> {
  const path = parseKeyPath(key);
  const { dir, role } = configDirectory(context, options);
  const done = await changeFile(role, dir, [{ path, value: undefined }]);
  // Nothing to remove is well where something could stand; a key that does not exist is a slip of the pen.
  if (!done.changed && !knowsKey(role, path)) throw codes['BBX-CFG-NO-KEY']({ key, file: done.file });
  report(context, done, key, nextOf(role, options));
}

/** `bbx config schema`: the JSON Schema of a master or a worker. */
export async function showSchema(
  context: Context,
  role: Role | undefined,
  options: DirOptions,
): Promise<void> {
  const wanted = role ?? roleHere(context, options);
  context.stdout.write(await schemaText(wanted));
}

/** What the running master would change, by its own comparison. The file is checked here first, so its mistakes come with exit 7. */
export async function planConfig(context: Context, options: DirOptions): Promise<void> {
  const dir = masterDirectory(context, options);
  warn(context, (await loadMaster(dir, { env: context.env, signal: context.signal })).warnings);
  await using client = openClient({ dir, socket: controlSocket(dir, context.env) });
  const plan = await client.call('planConfig', {}, { signal: context.signal });
  answer(context, plan, (_, { changes }) =>
    changes.length === 0
      ? 'Nothing would change.'
      : changes.map((line) => `would change: ${line}`).join('\n'),
  );
}

/** `bbx config apply`: makes the running master take its file as it is now. */
export async function applyConfig(context: Context, options: DirOptions): Promise<void> {
  const dir = masterDirectory(context, options);
  warn(context, (await loadMaster(dir, { env: context.env, signal: context.signal })).warnings);
  await using client = openClient({ dir, socket: controlSocket(dir, context.env) });
  const applied = await client.call('applyConfig', {}, { signal: context.signal });
  answer(context, applied, (_, { changes }) =>
    changes.length === 0 ? 'Nothing changed.' : changes.map((line) => `changed: ${line}`).join('\n'),
  );
}

function roleHere(context: Context, options: DirOptions): Role {
  try {
    return configDirectory(context, options).role;
  } catch (error) {
    // Outside of any directory the master's is what people look for; a directory that was named must be one.
    if (options.dir !== undefined || !(error instanceof BbxError)) throw error;
    return 'master';
  }
}

function report(
  context: Context,
  changed: { file: string; changed: boolean; warnings: Problem[] },
  key: string,
  next: string,
): void {
  warn(context, changed.warnings);
  answer(context, { file: changed.file, changed: changed.changed }, (_, seen) =>
    seen.changed ? `${seen.file}: ${key} is changed. ${next}` : `${seen.file}: nothing to change`,
  );
}

/** A guess is worth a line. */
function printShort({ file, line, message, fix }: Problem): string {
  return `${file}${line === null ? '' : `:${line}`}: warning: ${message}${fix === null ? '' : `; ${fix}`}`;
}

/** What makes a change count. */
function nextOf(role: Role, options: DirOptions): string {
  return role === 'master'
    ? `A running master takes it with: bbx config apply${sameDir(options)}`
    : 'A running worker takes it when it is started again.';
}

function warn(context: Context, warnings: readonly Problem[]): void {
  for (const warning of warnings) if (!isGuess(warning)) note(context, printProblem(warning));
}

function leaves(path: string[], value: unknown): { path: string[]; value: unknown }[] {
  const isTable = typeof value === 'object' && value !== null && !Array.isArray(value);
  const keys = isTable ? Object.keys(value) : [];
  if (keys.length === 0) return [{ path, value }];
  return keys.flatMap((key) => leaves([...path, key], (value as Record<string, unknown>)[key]));
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function originWords(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return origin.line === null ? origin.file : `${origin.file}:${origin.line}`;
    case 'environment':
    case 'flag':
      return origin.name;
  }
}
