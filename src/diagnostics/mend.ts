import { chmod, constants, copyFile, lstat, readFile, rm } from 'node:fs/promises';
import { errnoOf } from '../base/error.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { replaceFile } from '../config/replace-file.ts';
import { pasted } from './evidence.ts';
import type { EditChange, FileChange, Proposal } from './fixes.ts';
import { edited, isEdit, modePatch, patchOf } from './patch.ts';

/** A configuration file is never larger; what is, is none. */
const MOST_BYTES = 4 << 20;
/** How many backups of a file may stand beside it. */
const MOST_BACKUPS = 100;

/** What was done to one file, and how it is taken back. */
export interface Mended {
  readonly shown: string;
  /** The file's former text; undefined where only the mode changed. */
  readonly backup: string | undefined;
  undo(): Promise<void>;
}

/** Changes of one file, put together from all proposals that concern it. */
export interface FilePlan {
  readonly file: string;
  readonly shown: string;
  readonly change: FileChange;
  readonly patch: string;
}

/** Writes into each proposal's fix how its change would look and what makes it; one that cannot be made any more is no proposal. */
export async function withPatches(proposals: readonly Proposal[]): Promise<Proposal[]> {
  const kept: Proposal[] = [];
  for (const proposal of proposals) {
    const patch = await patchFor(proposal.change);
    if (patch === undefined) {
      delete proposal.fix.auto;
      delete proposal.fix.file;
    } else {
      const { change, fix } = proposal;
      fix.patch = patch;
      // A mode has a command of its own.
      if (isEdit(change))
        fix.commands = [...(fix.commands ?? []), `bbx doctor config ${pasted(change.shown)} --fix`];
      kept.push(proposal);
    }
  }
  return kept;
}

/** One change for each file, of the proposals for findings that are trouble. What collides with an earlier one waits for the next run. */
export async function planFiles(proposals: readonly Proposal[]): Promise<FilePlan[]> {
  const plans: FilePlan[] = [];
  const grave = proposals.filter(({ finding: { status } }) => status === 'error' || status === 'warn');
  for (const { change } of grave) {
    const index = plans.findIndex(
      (plan) => plan.file === change.file && isEdit(plan.change) === isEdit(change),
    );
    const known = plans[index]?.change;
    const together = known === undefined ? change : joined(known, change);
    const patch = await patchFor(together);
    if (patch === undefined) continue;
    const plan = { file: change.file, shown: change.shown, change: together, patch };
    if (index === -1) plans.push(plan);
    else plans[index] = plan;
  }
  return plans;
}

/** Makes a change of one file, its former text kept beside it as `FILE.old`. Throws BBX-FILE-… with the file as it was. */
export async function mendFile({ change, file, shown }: FilePlan): Promise<Mended> {
  try {
    if (!isEdit(change)) {
      const { mode } = await lstat(file);
      await chmod(file, change.mode);
      return { shown, backup: undefined, undo: () => chmod(file, mode & 0o777) };
    }
    const bytes = await readFile(file);
    const after = edited(bytes, change.edits);
    if (after === undefined) throw new Error(`${shown} has changed meanwhile`);
    const backup = await keepBackup(file);
    await replaceFile(file, after);
    return {
      shown,
      backup: shown + backup.slice(file.length),
      undo: async () => {
        await replaceFile(file, bytes);
        await rm(backup, { force: true });
      },
    };
  } catch (error) {
    throw fileTrouble(error, shown) ?? error;
  }
}

async function patchFor(change: FileChange): Promise<string | undefined> {
  try {
    // What stands behind a link may be anybody's.
    const at = await lstat(change.file);
    if (!at.isFile() || at.size > MOST_BYTES) return undefined;
    if (isEdit(change)) return patchOf(change, await readFile(change.file));
    return (at.mode & 0o777) === change.mode ? undefined : modePatch(change, at.mode);
  } catch (error) {
    if (fileTrouble(error, change.file) === undefined) throw error;
    return undefined;
  }
}

function joined(known: FileChange, change: FileChange): FileChange {
  if (!isEdit(known) || !isEdit(change)) return known;
  const together: EditChange = { ...known, edits: [...known.edits, ...change.edits] };
  return together;
}

/** A copy beside the file under a name that nothing has yet, with the file's own mode. */
async function keepBackup(file: string): Promise<string> {
  for (let number = 0; number < MOST_BACKUPS; number += 1) {
    const backup = `${file}.old${number === 0 ? '' : `.${number}`}`;
    try {
      await copyFile(file, backup, constants.COPYFILE_EXCL);
      return backup;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
  throw new Error(`${MOST_BACKUPS} backups stand beside ${file}`);
}
