import { systemClock } from '../base/clock.ts';
import { BbxError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { findDirectory } from '../client/find-directory.ts';
import { loadMaster } from '../config/master.ts';
import { startMaster, type Master } from '../runtime/master/start.ts';
import { diagnoseOf } from './run-diagnose.ts';
import { createRunLog, sayWarnings, type RunOptions } from './run-log.ts';
import { createNotifier } from './run-notify.ts';
import { endOnFault, takeSignals, untilAborted } from './run-signals.ts';
import type { Context } from './terminal/context.ts';
import { BBX_VERSION } from './version.ts';

/** Runs the master of a directory until a signal. */
export async function runMaster(
  context: Context,
  named: string | undefined,
  options: RunOptions & { drain?: boolean },
): Promise<void> {
  const { env } = context;
  const { dir } = findDirectory({ cwd: context.cwd, named: named ?? env['BBX_DIR'], roles: ['master'] });
  const log = await createRunLog(context, options);
  const { config, file, warnings } = await loadMaster(dir, { env, signal: context.signal });
  sayWarnings(log, warnings);
  context.signal.throwIfAborted();
  context.releaseSignals();
  endOnFault(log);
  const notifier = createNotifier({ env, log });
  const started = Promise.withResolvers<Master>();
  using orders = takeSignals({
    log,
    async onReload() {
      await notifier.reloading();
      const master = await started.promise;
      await master.apply().catch(alreadySaid);
      await notifier.ready(`master of ${dir}`);
    },
  });

  await using running = await startUnlessStopped(orders.stop, config, {
    dir,
    signal: orders.stop,
    version: BBX_VERSION,
    file,
    clock: systemClock,
    random: Math.random,
    log,
    env,
    reloadConfig: async () => {
      const fresh = await loadMaster(dir, { env });
      sayWarnings(log, fresh.warnings);
      return fresh.config;
    },
    diagnose: diagnoseOf(env),
  });
  if (running === undefined) {
    log.info('Stopped before the master was there');
    return;
  }
  started.resolve(running);
  sayWhereItIs(log, running, { dir, file });
  await notifier.ready(`master of ${dir}`);

  const lost = await Promise.race([untilAborted(orders.stop), running.lost]);
  if (lost !== undefined) {
    await notifier.stopping();
    await running.stop();
    throw lost;
  }
  await notifier.stopping();
  const stopped = running.stop({ drain: options.drain === true });
  void untilAborted(orders.stopNow).then(() => running.stop({ cancel: true }));
  await stopped;
  log.info(`The master has stopped; ${whatRan(orders.stopNow.aborted, options.drain === true)}`);
}

/** A start that waits for its store is ended by a signal, which is no error. */
async function startUnlessStopped(
  stop: AbortSignal,
  ...what: Parameters<typeof startMaster>
): Promise<Master | undefined> {
  try {
    return await startMaster(...what);
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}

/** What became of the builds that ran. */
function whatRan(cancelled: boolean, drained: boolean): string {
  if (cancelled) return 'builds that ran were cancelled';
  return drained ? 'no build ran any more' : 'builds that ran go on at their workers';
}

/** The master has logged why a configuration was not applied; the old one is at work. */
function alreadySaid(error: unknown): void {
  if (!(error instanceof BbxError)) throw error;
}

function sayWhereItIs(log: Log, master: Master, { dir, file }: { dir: string; file: string }): void {
  const { workers, web } = master.bound;
  for (const note of master.notes) log.warn(note);
  log.info(`The master of ${dir} runs, configured by ${file}; its key is ${master.fingerprint}`);
  log.info(`Workers connect to ${workers.join(' and ')}. Invite one: bbx worker add NAME --dir ${dir}`);
  if (web.length > 0) log.info(`Its web port is ${web.join(' and ')}`);
  log.info(`Look at it: bbx status --dir ${dir}. Ctrl-C stops it; SIGHUP loads the configuration again`);
}
