import type { Command } from 'commander';
import { declare } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import type { RunOptions } from '../run-log.ts';

/** `bbx run …`: the long-living programs. */
export function addRunCommands(program: Command, context: Context): void {
  const run = program.command('run').description('Run a master or a worker in the foreground.');
  const logFormat = () =>
    flag('--log-format <format>', 'its log on stderr, for people or as JSON lines')
      .choices(['text', 'json'])
      .default('text');
  const verbose = () => flag('-v, --verbose', 'log details as well');

  declare(run, 'master [dir]', {
    purpose: 'Run the master of a directory until it is told to stop.',
    examples: ['bbx run master', 'bbx run master /srv/farm --log-format json', 'bbx run master --drain'],
    notes:
      'SIGTERM or Ctrl-C: it stores everything and is gone within 5 s; builds go on at the workers and are taken up again by the ' +
      'next start. With --drain it waits for them first. A second signal stops the builds too. SIGHUP loads the configuration again.',
  })
    .addOption(logFormat())
    .addOption(verbose())
    .addOption(flag('--drain', 'at SIGTERM wait for running builds before it stops'))
    .action(async (dir: string | undefined, options: RunOptions & { drain?: boolean }) => {
      const { collectOften, keepMemorySmall } = await import('../../exec/small-memory.ts');
      keepMemorySmall();
      collectOften();
      return (await import('../run-master.ts')).runMaster(context, dir, options);
    });

  declare(run, 'worker [dir]', {
    purpose: 'Run the worker of a directory until it is told to stop.',
    examples: ['bbx run worker', 'bbx run worker /srv/worker --log-format json'],
    notes:
      'SIGTERM or Ctrl-C: it takes no more builds and waits up to drainTimeout for those that run. A second signal stops them.',
  })
    .addOption(logFormat())
    .addOption(verbose())
    .action(async (dir: string | undefined, options: RunOptions) => {
      (await import('../../exec/small-memory.ts')).keepMemorySmall();
      return (await import('../run-worker.ts')).runWorker(context, dir, options);
    });
}
