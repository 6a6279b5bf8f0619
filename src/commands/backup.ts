import { createWriteStream, existsSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { printBytes } from '../base/bytes.ts';
import { systemClock } from '../base/clock.ts';
import { BbxError, errnoOf } from '../base/error.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { codes } from '../backup/codes.ts';
import { writeBackup, type BackupProgress, type BackupSummary } from '../backup/write.ts';
import { loadMaster } from '../config/master.ts';
import { migrations } from '../store/migrations/list.ts';
import { openStore, type Store } from '../store/store.ts';
import { syncFolder } from '../store/sync-folder.ts';
import { masterDirectory, shellWord, type DirOptions } from './farm.ts';
import { codes as usage } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { answer, note } from './terminal/print.ts';
import { printable } from './terminal/printable.ts';
import { createProgress } from './terminal/progress.ts';
import { BBX_VERSION } from './version.ts';
import { countWords } from './words.ts';

/** A screen of them; a farm's own files are in UTF-8, so there are hardly any. */
const LEFT_OUT_SHOWN = 10;

export interface BackupOptions extends DirOptions {
  force?: boolean;
}

/** Writes a backup of a master, running or stopped, to a file or (`-`) to stdout. */
export async function backup(context: Context, target: string, options: BackupOptions): Promise<void> {
  const toStdout = target === '-';
  if (toStdout && context.json)
    throw usage['BBX-USAGE']({ problem: 'stdout cannot be the backup and JSON at once: name a file' });
  if (toStdout && context.stdout.isTTY)
    throw usage['BBX-USAGE']({
      problem: 'a backup is not for a terminal: name a file, or send it on (… - | …)',
    });
  const dir = masterDirectory(context, options);
  const { signal } = context;
  const file = resolve(context.cwd, target);
  if (!toStdout) await mayBeWritten(file, target, options);
  const { config } = await loadMaster(dir, { env: context.env, signal });
  await using store = await openAsItIs(config.store, dir, context.env);
  using progress = createProgress(context);
  progress.wait('backing up');
  const beside = `${file}.partial-${process.pid}`;
  const write = (output: Writable) =>
    writeBackup({
      ...{ dir, store, output, signal },
      without: [file, beside, ...['', '-wal', '-shm', '-journal'].map((end) => `${store.name}${end}`)],
      version: BBX_VERSION,
      clock: systemClock,
      onProgress: (done) => progress.now(progressWords(done)),
    });
  let summary: BackupSummary;
  if (toStdout) summary = await write(context.stdout);
  else {
    try {
      summary = await write(createWriteStream(beside, { flags: 'wx', mode: 0o600, flush: true }));
      await rename(beside, file);
      await syncFolder(dirname(file));
    } catch (error) {
      await rm(beside, { force: true }).catch(() => undefined);
      throw fileTrouble(error, file) ?? error;
    }
  }
  progress.stop();
  if (toStdout) {
    for (const line of sentences(summary, 'standard output', undefined)) note(context, line);
    return;
  }
  const { size } = await stat(file);
  answer(context, { ...summary, file, bytes: size }, () =>
    sentences(summary, shown(context, file), size).join('\n'),
  );
}

/** The store with the schema that it has: a backup is what one wants before an upgrade. */
async function openAsItIs(url: string, dir: string, env: Context['env']): Promise<Store> {
  try {
    return await openStore(url, { dir, env, readOnly: true });
  } catch (error) {
    if (!(error instanceof BbxError) || error.code !== 'BBX-STO-OLDER-SCHEMA') throw error;
    const found = Number(error.data['found']);
    const known = migrations.filter(({ number }) => number <= found);
    return openStore(url, { dir, env, readOnly: true, migrations: known });
  }
}

function progressWords({ what, done, total, bytes }: BackupProgress): string {
  return `backing up: ${what} ${done}${total === undefined ? '' : ` of ${total}`}, ${printBytes(bytes)}`;
}

function sentences(summary: BackupSummary, target: string, size: number | undefined): string[] {
  const { rows, logs, files, running, pruned, missing, leftOut } = summary;
  return [
    `Backup in ${target}${size === undefined ? '' : `, ${printBytes(size)}`}: ${countWords(files, 'file')}, ${countWords(rows, 'row')}, ${countWords(logs, 'log')}, as of ${new Date(summary.takenAt * 1000).toISOString()}.`,
    ...(running === 0
      ? []
      : [
          `${countWords(running, 'build')} ran; after a restore ${running === 1 ? 'it is' : 'they are'} tried again.`,
        ]),
    ...(pruned.length === 0 ? [] : [`${countWords(pruned.length, 'log')} went meanwhile, by retention.`]),
    ...(missing.length === 0
      ? []
      : [`The files of ${countWords(missing.length, 'log')} were missing already: see bbx db check.`]),
    ...printable(leftOut.slice(0, LEFT_OUT_SHOWN)).map(
      (path) => `Left out: "${path}": its name, or where it leads, is not UTF-8; give it another name.`,
    ),
    ...(leftOut.length <= LEFT_OUT_SHOWN
      ? []
      : [`Left out, too: ${leftOut.length - LEFT_OUT_SHOWN} more; --json names them all.`]),
    'The farm’s private key and its secrets are in it: whoever has the file can be this farm. Keep it as safe as the farm itself.',
  ];
}

function shown(context: Context, file: string): string {
  const near = relative(context.cwd, file);
  return near.startsWith('..') ? file : near;
}

/** Looked at before all the work and not after it. `target` is the file as it was named. */
async function mayBeWritten(file: string, target: string, { force }: BackupOptions): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileTrouble(error, file) ?? error;
  });
  if (found?.isDirectory() === true) throw codes['BBX-BAK-DIRECTORY']({ file: target });
  if (found === undefined && !existsSync(dirname(file)))
    throw codes['BBX-BAK-FOLDER']({ file: target, folder: shellWord(dirname(target)) });
  if (found !== undefined && force !== true) throw codes['BBX-BAK-EXISTS']({ file: target });
}
