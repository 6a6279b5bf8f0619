import { isDeepStrictEqual } from 'node:util';
import { changeFile, readEditable } from '../config/change.ts';
import { codes } from '../config/codes.ts';
import { isGuess } from '../config/cross-check.ts';
import type { Edit } from '../config/edit.ts';
import { valueAt } from '../config/key-path.ts';
import { printProblem } from '../config/problem.ts';
import { repositoryName } from '../templates/native/master.ts';
import { repositoryAddress } from './repository-address.ts';
import { masterDirectory, sameDir, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer, note } from './terminal/print.ts';

export interface AddBuilderOptions extends DirOptions {
  run: string[];
  repository?: string;
  tag?: string[];
}

/** Adds a builder, its repository where that is new, and a scheduler that builds its pushes, to master.yaml. */
export async function addBuilder(context: Context, name: string, options: AddBuilderOptions): Promise<void> {
  const dir = masterDirectory(context, options);
  const { document } = await readEditable('master', dir);
  const source = sourceOf(context, document.value, options.repository);
  const builder = {
    ...(source === undefined ? {} : { repository: source.name }),
    ...(options.tag === undefined ? {} : { workers: { tags: options.tag } }),
    steps: [
      ...(source === undefined ? [] : [{ git: {} }]),
      ...options.run.map((command) => ({ run: command, haltOnFailure: true })),
    ],
  };
  const existing = valueAt(document.value, ['builders', name]);
  const edits: Edit[] = [];
  if (existing === undefined)
    edits.push(...(source?.edits ?? []), { path: ['builders', name], value: builder });
  else if (!isDeepStrictEqual(existing, builder))
    throw codes['BBX-CFG-BUILDER-DIFFERS']({
      name,
      file: document.file,
      differences: differs(existing, builder),
    });
  if (existing === undefined && source !== undefined)
    edits.push(schedulerEdit(document.value, source.name, name));
  const { file, changed, warnings } = await changeFile('master', dir, edits);
  for (const warning of warnings) if (!isGuess(warning)) note(context, printProblem(warning));
  answer(context, { name, file, changed }, () =>
    changed
      ? `Added builder "${name}" to ${file}. A running master takes it with: bbx config apply${sameDir(options)}`
      : `Builder "${name}" is there already; nothing changed.`,
  );
}

/** A repository by its name in the file, else by its address, which is added when the file does not have it. */
function sourceOf(
  context: Context,
  written: unknown,
  repository: string | undefined,
): { name: string; edits: Edit[] } | undefined {
  if (repository === undefined) return undefined;
  const known = valueAt(written, ['repositories']);
  const table = typeof known === 'object' && known !== null ? (known as Record<string, unknown>) : {};
  if (Object.hasOwn(table, repository)) return { name: repository, edits: [] };
  const address = repositoryAddress(context, repository);
  const same = Object.keys(table).find((name) => valueAt(table, [name, 'git']) === address);
  if (same !== undefined) return { name: same, edits: [] };
  const base = repositoryName(address);
  let name = base;
  for (let number = 2; Object.hasOwn(table, name); number += 1) name = `${base}-${number}`;
  return { name, edits: [{ path: ['repositories', name], value: { git: address } }] };
}

function schedulerEdit(written: unknown, repository: string, builder: string): Edit {
  const schedulers = valueAt(written, ['schedulers']);
  const names = typeof schedulers === 'object' && schedulers !== null ? Object.keys(schedulers) : [];
  let name = `on-push-${builder}`.slice(0, 76);
  for (let number = 2; names.includes(name); number += 1) name = `on-push-${builder}-${number}`.slice(0, 80);
  return { path: ['schedulers', name], value: { kind: 'branch', repository, builders: [builder] } };
}

function differs(before: unknown, after: object): string[] {
  const old = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : {};
  const fresh = after as Record<string, unknown>;
  return [...new Set([...Object.keys(old), ...Object.keys(fresh)])]
    .filter((key) => !isDeepStrictEqual(old[key], fresh[key]))
    .map((key) => `"${key}" is another`);
}
