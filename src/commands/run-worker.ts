import { systemClock } from '../base/clock.ts';
import { findDirectory } from '../client/find-directory.ts';
import { loadWorker } from '../config/worker.ts';
import { printAddress } from '../net/endpoint/address.ts';
import { startWorker } from '../runtime/worker/start.ts';
import { diagnoseOf } from './run-diagnose.ts';
import { createRunLog, sayWarnings, type RunOptions } from './run-log.ts';
import { createNotifier } from './run-notify.ts';
import { endOnFault, takeSignals, untilAborted } from './run-signals.ts';
import type { Context } from './terminal/context.ts';
import { BBX_VERSION } from './version.ts';

/** Runs the worker of a directory until a signal, or until its master will have it no more (then that error is thrown). */
export async function runWorker(
  context: Context,
  named: string | undefined,
  options: RunOptions,
): Promise<void> {
  const { env } = context;
  const { dir } = findDirectory({
    cwd: context.cwd,
    named: named ?? env['BBX_DIR'],
    roles: ['worker'],
  });
  const log = await createRunLog(context, options);
  const { config, file, warnings } = await loadWorker(dir, { env });
  sayWarnings(log, warnings);
  context.signal.throwIfAborted();
  context.releaseSignals();
  using orders = takeSignals({ log });
  endOnFault(log);
  const notifier = createNotifier({ env, log });

  await using worker = await startWorker(config, {
    dir,
    software: `bbx ${BBX_VERSION}`,
    clock: systemClock,
    log,
    env,
    diagnose: diagnoseOf(env),
  });
  const targets = config.master.map(printAddress).join(', ');
  log.info(
    `Worker "${config.name}" runs in ${dir}, configured by ${file}; up to ${config.maxBuilds} ${config.maxBuilds === 1 ? 'build' : 'builds'} at a time`,
  );
  log.info(`Its key is ${worker.fingerprint}; its master is looked for at ${targets}. Ctrl-C stops it`);
  await notifier.ready(`worker ${config.name} for ${targets}`);

  const ended = await Promise.race([worker.ended, untilAborted(orders.stop)]);
  await notifier.stopping();
  if (ended === undefined) {
    const stopped = worker.stop({ drain: true });
    void untilAborted(orders.stopNow).then(() => worker.stop({ drain: false }));
    await stopped;
    log.info(`Worker "${config.name}" has stopped`);
    return;
  }
  throw ended;
}
