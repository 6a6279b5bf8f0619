import { BbxError } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { masterLayout } from '../config/layout.ts';
import { loadMaster } from '../config/master.ts';
import { lockDirectory } from '../exec/directory-lock.ts';
import { checkLogFiles, checkStore as findDamage, type StoreFinding } from '../store/check.ts';
import { openStore } from '../store/store.ts';
import { masterDirectory, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer } from './terminal/print.ts';
import { createProgress } from './terminal/progress.ts';
import { Outcome } from './terminal/exit.ts';

/** Reads the whole store and every log, with the master running or stopped. Exit 1 when data is missing or damaged. */
export async function checkStore(context: Context, options: DirOptions): Promise<void> {
  const dir = masterDirectory(context, options);
  const { signal } = context;
  const { config } = await loadMaster(dir, { env: context.env, signal });
  using progress = createProgress(context);
  progress.wait('reading the whole store and its logs');
  const onProgress = (text: string) => progress.now(text);
  const { logs } = masterLayout(dir);
  const findings: StoreFinding[] = [];
  await using store = await openStore(config.store, { dir, env: context.env, readOnly: true }).catch(
    (error: unknown) => {
      if (!(error instanceof BbxError) || error.code !== 'BBX-STO-DAMAGED') throw error;
      findings.push({ kind: 'unreadable', status: 'error', problem: String(error.data['problem']) });
      return undefined;
    },
  );
  const all =
    store === undefined
      ? checkLogFiles(logs, { signal, onProgress })
      : findDamage(store, logs, { signal, onProgress });
  for await (const finding of all) findings.push(finding);
  progress.stop();
  const sound = findings.every(({ status }) => status !== 'error');
  const told = { store: store?.name ?? config.store, schema: store?.schema ?? null, sound, findings };
  answer(context, told, (style, seen) =>
    [
      `${seen.store}: ${seen.sound ? style.paint.green('sound') : style.paint.red('damaged')}${seen.schema === null ? '' : `, schema ${seen.schema}`}`,
      ...seen.findings.map(
        (finding) =>
          `${style.paint[finding.status === 'error' ? 'red' : 'yellow'](finding.status)}\t${sentence(finding)}`,
      ),
    ].join('\n'),
  );
  if (!sound) throw new Outcome(EXIT.failed);
}

function sentence(finding: StoreFinding): string {
  switch (finding.kind) {
    case 'integrity':
      return `the database is damaged: ${finding.problem}`;
    case 'unreadable':
      return `part of the database cannot be read: ${finding.problem}`;
    case 'row':
      return `row ${finding.row} of ${finding.table}, ${finding.column}: ${finding.problem}`;
    case 'log-hash':
      return `log ${finding.logid} has another hash than was stored (${finding.file})`;
    case 'log-row':
      return `log ${finding.logid}, which stands in its row, is damaged: ${finding.problem}`;
    case 'reference':
      return `row ${finding.row ?? '?'} of ${finding.table} names a row of ${finding.parent} that is missing`;
    case 'log-missing':
      return `log ${finding.logid} has no file; ${finding.bytes} bytes are lost`;
    case 'log-short':
      return `log ${finding.logid} has ${finding.found} of ${finding.bytes} bytes`;
    case 'log-damaged':
      return `log ${finding.logid} is damaged in ${finding.ranges.length} places (${finding.file})`;
    case 'log-unmarked':
      return `log ${finding.logid} has all its bytes, but in ${finding.ranges.length} places not their channels and times (${finding.file})`;
    case 'log-table':
      return `log ${finding.logid} has a damaged table, which is made again whenever it is read (${finding.file})`;
    case 'log-unreadable':
      return `log ${finding.logid} cannot be read: ${finding.problem} (${finding.file})`;
    case 'file-without-row':
      return `no build has this file: ${finding.file}`;
    case 'file-of-pruned-log':
      return `log ${finding.logid} was removed by retention, its file is still there: ${finding.file}`;
    case 'leftover':
      return `left by an interrupted write: ${finding.file}`;
  }
}

/** Brings the store's schema to this version, with the directory's lock held, so that no master runs. */
export async function upgradeStore(context: Context, options: DirOptions): Promise<void> {
  const dir = masterDirectory(context, options);
  const { config } = await loadMaster(dir, { env: context.env, signal: context.signal });
  const place = { dir, env: context.env };
  // Opening for reading says that it is missing, instead of making a new one, and a lock beside nothing.
  await openStore(config.store, { ...place, readOnly: true })
    .then((store) => store.close())
    .catch((error: unknown) => {
      if (!(error instanceof BbxError && error.code === 'BBX-STO-OLDER-SCHEMA')) throw error;
    });
  using _lock = await lockDirectory(masterLayout(dir).lock);
  // A master of another directory or machine has no lock here, but holds the store.
  await using store = await openStore(config.store, { ...place, sole: true });
  const done = {
    store: store.name,
    schema: store.schema,
    changed: store.upgraded.length > 0,
    migrations: store.upgraded,
  };
  answer(context, done, (_, seen) =>
    seen.changed
      ? `${seen.store}: upgraded to schema ${seen.schema}`
      : `${seen.store}: nothing to do, schema ${seen.schema}`,
  );
}
