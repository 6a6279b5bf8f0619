import { existsSync } from 'node:fs';
import { EXIT } from '../base/exit.ts';
import { masterLayout } from '../config/layout.ts';
import { loadMaster } from '../config/master.ts';
import { lockDirectory } from '../exec/directory-lock.ts';
import { checkStore as findDamage } from '../store/check.ts';
import { openStore } from '../store/store.ts';
import { parseStoreUrl } from '../store/url.ts';
import { masterDirectory, type DirOptions } from './farm.ts';
import type { Context } from './terminal/context.ts';
import { answer } from './terminal/print.ts';
import { createProgress } from './terminal/progress.ts';
import { Outcome } from './terminal/exit.ts';

/** Reads the whole store, with the master running or stopped. Exit 1 when it is damaged. */
export async function checkStore(context: Context, options: DirOptions): Promise<void> {
  const dir = masterDirectory(context, options);
  const { config } = await loadMaster(dir, { env: context.env, signal: context.signal });
  using progress = createProgress(context);
  progress.wait('reading the whole store');
  await using store = await openStore(config.store, { dir, readOnly: true });
  const problems = await findDamage(store);
  progress.stop();
  const found = { store: store.name, schema: store.schema, ok: problems.length === 0, problems };
  answer(context, found, (style, seen) =>
    [
      `${seen.store}: ${seen.ok ? style.paint.green('sound') : style.paint.red('damaged')}, schema ${seen.schema}`,
      ...seen.problems.map((problem) => `  ${problem}`),
    ].join('\n'),
  );
  if (!found.ok) throw new Outcome(EXIT.failed);
}

/** Brings the store's schema to this version, with the directory's lock held, so that no master runs. */
export async function upgradeStore(context: Context, options: DirOptions): Promise<void> {
  const dir = masterDirectory(context, options);
  const { config } = await loadMaster(dir, { env: context.env, signal: context.signal });
  const { file } = parseStoreUrl(config.store, dir);
  // Opening for reading says that it is missing, instead of making a new one, and a lock beside nothing.
  if (!existsSync(file)) await openStore(config.store, { dir, readOnly: true });
  using _lock = await lockDirectory(masterLayout(dir).lock);
  await using store = await openStore(config.store, { dir });
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
