import { parse } from 'yaml';
import { codes } from './codes.ts';
import { readDocument, YAML_OPTIONS, type ConfigDocument } from './document.ts';
import { editText, type Edit } from './edit.ts';
import { QUOTES } from './check.ts';
import { examine, isError, shownName } from './load.ts';
import { masterLanguage, readMaster } from './master.ts';
import type { Problem } from './problem.ts';
import { replaceFile } from './replace-file.ts';
import { readWorker, workerLanguage } from './worker.ts';

export type Role = 'master' | 'worker';

export interface Changed {
  file: string;
  changed: boolean;
  warnings: Problem[];
}

/**
 * Makes edits to a role's YAML file, comments kept; writes only what holds as a whole. Throws BBX-CFG-INVALID with the problems that
 * the file would have (it is as it was), BBX-CFG-NOT-YAML for code, BBX-FILE-….
 */
export async function changeFile(role: Role, dir: string, edits: readonly Edit[]): Promise<Changed> {
  const read = await readEditable(role, dir);
  const text = editText(read.text, edits);
  const problems = await problemsIn(role, text, read);
  if (problems.some(isError))
    throw codes['BBX-CFG-INVALID']({
      file: `${read.document.file} (as it would be; it was not changed)`,
      problems: problems.filter(isError),
    });
  if (text !== read.text) await replaceFile(read.file, text);
  return { file: read.file, changed: text !== read.text, warnings: problems };
}

/**
 * The value that a text of the command line means at a path: YAML's reading of it where that fits (`2`, `[a, b]`, `true`), else the
 * text itself (`[::]:9989`, a title `2026`).
 */
export async function meantValue(
  role: Role,
  dir: string,
  path: Edit['path'],
  text: string,
): Promise<unknown> {
  const asYaml = readValue(text);
  if (asYaml === undefined || asYaml === text) return text;
  const read = await readEditable(role, dir);
  const troubles = async (value: unknown) =>
    (await problemsIn(role, editText(read.text, [{ path, value }]), read)).filter(isError);
  const [yamls, texts] = [await troubles(asYaml), await troubles(text)];
  // Neither holds: the text's own problem is the one to mend where a text is wanted, since quotes would not help.
  const wantsText = texts.length > 0 && yamls.some(({ fix }) => fix?.startsWith(QUOTES) === true);
  return yamls.length > texts.length || wantsText ? text : asYaml;
}

function readValue(text: string): unknown {
  try {
    return parse(text, YAML_OPTIONS) as unknown;
  } catch {
    return undefined;
  }
}

interface Editable {
  document: ConfigDocument;
  file: string;
  text: string;
  dir: string;
}

/** A role's file that can be edited: YAML, and readable as such. */
export async function readEditable(role: Role, dir: string): Promise<Editable> {
  const read = role === 'master' ? await readMaster(dir) : await readWorker(dir);
  if (!read.file.endsWith('.yaml')) throw codes['BBX-CFG-NOT-YAML']({ file: shownName(read.file) });
  if (read.document.problems.some(isError))
    throw codes['BBX-CFG-INVALID']({ file: read.document.file, problems: read.document.problems });
  return read;
}

async function problemsIn(role: Role, text: string, read: Editable): Promise<Problem[]> {
  const document = readDocument(text, read.document.file);
  const { problems } =
    role === 'master'
      ? await examine(masterLanguage, document, read.dir)
      : await examine(workerLanguage, document, read.dir);
  return problems;
}
