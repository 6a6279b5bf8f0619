import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errnoOf } from '../base/error.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { writeWhole } from '../config/whole-file.ts';
import { differencesOf, parseAnswers, printAnswers, type Answers } from './answers.ts';
import { codes } from './codes.ts';

/** A file as a template gives it. `path` is relative to the directory. */
export interface TreeFile {
  path: string;
  content: string;
  mode: number;
  /**
   * `replace`: with --force, the old one kept as `.old`. `keep`: once there, never touched. `refresh`: written whenever its content is another
   * one than the last time; who uses it deletes it, so that one which is gone and was written before stays gone.
   */
  policy: 'replace' | 'keep' | 'refresh';
}

export interface Tree {
  role: 'master' | 'worker';
  /** Mode of the directory itself, when it is made. */
  mode: number;
  dirs: readonly { path: string; mode: number }[];
  files: readonly TreeFile[];
  /** Files that would stand against these; with --force they are kept as `.old`. */
  retired?: readonly string[];
}

export interface Step {
  path: string;
  action: 'create' | 'replace' | 'keep' | 'retire';
}

/** What writing a tree would do; plain data, made without touching the disk. */
export interface TreePlan {
  dir: string;
  changed: boolean;
  steps: Step[];
  /** In words, against the answers of before. */
  differences: string[];
}

const ANSWERS = join('.bbx', 'answers.json');
/** What a system puts into a directory by itself. */
const IGNORED = new Set(['.DS_Store', 'lost+found']);

/**
 * Compares a tree with a directory. Throws BBX-TPL-NOT-EMPTY or BBX-TPL-OTHER-ROLE for a directory that is not ours, BBX-TPL-DIFFERS
 * for other answers without `force`, BBX-TPL-WRITE where it could not be written.
 */
export async function planTree(
  dir: string,
  tree: Tree,
  answers: Answers,
  options: { force?: boolean } = {},
): Promise<TreePlan> {
  const root = resolve(dir);
  const names = await namesIn(root);
  if (names === undefined) await checkWritable(root);
  const recorded = await readAnswers(root);
  const ours = recorded !== undefined || names?.includes('.bbx') === true;
  const foreign = names?.filter((name) => !IGNORED.has(name)) ?? [];
  if (!ours && foreign.length > 0)
    throw codes['BBX-TPL-NOT-EMPTY']({ dir, role: tree.role, found: foreign.slice(0, 3).join(', ') });
  if (recorded !== undefined && recorded.role !== tree.role)
    throw codes['BBX-TPL-OTHER-ROLE']({ dir, role: tree.role, other: recorded.role });
  const differences = recorded === undefined ? [] : differencesOf(recorded.answers, answers);
  if (differences.length > 0 && options.force !== true) throw codes['BBX-TPL-DIFFERS']({ dir, differences });
  const state = recorded === undefined ? 'unfinished' : differences.length > 0 ? 'other' : 'same';
  const steps = await Promise.all(
    tree.files.map(async (file): Promise<Step> => ({
      path: file.path,
      action: await actionFor(root, file, state),
    })),
  );
  for (const path of state === 'other' ? (tree.retired ?? []) : [])
    if ((await contentOf(join(root, path))) !== undefined) steps.push({ path, action: 'retire' });
  const changed =
    recorded === undefined || differences.length > 0 || steps.some(({ action }) => action !== 'keep');
  return { dir: root, changed, steps, differences };
}

async function actionFor(
  root: string,
  file: TreeFile,
  state: 'unfinished' | 'same' | 'other',
): Promise<Step['action']> {
  const now = await contentOf(join(root, file.path));
  if (file.policy === 'refresh') {
    if (now !== undefined) return now === file.content ? 'keep' : 'replace';
    return (await contentOf(digestFile(root, file))) === digestOf(file) ? 'keep' : 'create';
  }
  // With the same answers a file that somebody removed stays removed, as one that somebody edited stays edited.
  if (now === undefined)
    return state === 'unfinished' || (state === 'other' && file.policy === 'replace') ? 'create' : 'keep';
  if (now === file.content || file.policy === 'keep') return 'keep';
  return state === 'other' ? 'replace' : 'keep';
}

/** Does what a plan says: directories, files, and last the answers, so that a call that was cut short is taken up again by the next. */
export async function writeTree(plan: TreePlan, tree: Tree, answers: Answers): Promise<void> {
  if (!plan.changed) return;
  await makeDirectory(plan.dir, tree.mode);
  await makeDirectory(join(plan.dir, '.bbx'), 0o700);
  for (const { path, mode } of tree.dirs) await makeDirectory(join(plan.dir, path), mode);
  for (const file of tree.files) {
    const step = plan.steps.find(({ path }) => path === file.path);
    if (step === undefined || step.action === 'keep') continue;
    const target = join(plan.dir, file.path);
    if (step.action === 'replace' && file.policy === 'replace') await keepOld(target);
    await write(target, file.content, file.mode);
    if (file.policy === 'refresh') await write(digestFile(plan.dir, file), digestOf(file), 0o600);
  }
  for (const { path, action } of plan.steps) if (action === 'retire') await keepOld(join(plan.dir, path));
  await write(join(plan.dir, ANSWERS), printAnswers({ role: tree.role, answers }), 0o600);
}

/** Where the directory remembers which content of a `refresh` file it had last. */
function digestFile(root: string, file: TreeFile): string {
  return join(root, '.bbx', `${file.path}.sha256`);
}

function digestOf({ content }: TreeFile): string {
  return `${createHash('sha256').update(content).digest('hex')}\n`;
}

/** The answers that a directory remembers; undefined where there are none. */
export async function readAnswers(
  dir: string,
): Promise<{ role: 'master' | 'worker'; answers: Answers } | undefined> {
  const file = join(resolve(dir), ANSWERS);
  const text = await contentOf(file);
  if (text === undefined) return undefined;
  const parsed = parseAnswers(text);
  if (parsed === undefined) throw codes['BBX-TPL-ANSWERS']({ file });
  return parsed;
}

async function namesIn(root: string): Promise<string[] | undefined> {
  try {
    return await readdir(root);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw unwritable(root, error);
  }
}

/** Looks at the nearest directory that exists, so that a dry run and a refusal come before anything is made. */
async function checkWritable(root: string): Promise<void> {
  for (let dir = dirname(root); ; dir = dirname(dir)) {
    try {
      if (!(await stat(dir)).isDirectory())
        throw codes['BBX-TPL-WRITE']({ path: root, reason: `"${dir}" is a file` });
      await access(dir, constants.W_OK | constants.X_OK);
      return;
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || dirname(dir) === dir) throw unwritable(root, error);
    }
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw unwritable(path, error);
  }
}

async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    const made = await mkdir(path, { recursive: true, mode });
    // The umask takes bits away, never adds them.
    if (made !== undefined) await chmod(path, mode);
  } catch (error) {
    throw unwritable(path, error);
  }
}

async function keepOld(target: string): Promise<void> {
  for (let number = 1; ; number += 1) {
    const old = number === 1 ? `${target}.old` : `${target}.old-${number}`;
    if ((await contentOf(old)) !== undefined) continue;
    try {
      await rename(target, old);
    } catch (error) {
      throw unwritable(old, error);
    }
    return;
  }
}

async function write(target: string, content: string, mode: number): Promise<void> {
  try {
    await writeWhole(target, content, { mode });
  } catch (error) {
    throw unwritable(target, error);
  }
}

const REASONS: Partial<Record<string, string>> = {
  // A name that can be looked for but not made: /proc, /sys and their like.
  ENOENT: 'its file system takes no new files there',
  ENOTDIR: 'a file stands where a directory must be',
  EEXIST: 'a file stands where a directory must be',
  EISDIR: 'a directory stands where a file must be',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'links lead in a circle',
};

function unwritable(path: string, error: unknown): unknown {
  const reason = REASONS[errnoOf(error) ?? ''];
  if (reason !== undefined) return codes['BBX-TPL-WRITE']({ path, reason }, { cause: error });
  return fileTrouble(error, path) ?? error;
}
