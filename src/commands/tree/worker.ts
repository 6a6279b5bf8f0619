import type { Command } from 'commander';
import { declare, dirFlag } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import { durationValue, numberValue, spanValue } from '../terminal/values.ts';
import type { DirOptions } from '../farm.ts';
import type { AddOptions } from '../worker-add.ts';
import type { ListWorkersOptions } from '../worker-list.ts';
import type { ShowWorkerOptions } from '../worker-show.ts';
import type { WorkerOrder } from '../worker-order.ts';

/** Longer invitations are forgotten ones. */
const DEFAULT_EXPIRY_MS = 24 * 3_600_000;

const ORDERS: readonly { order: WorkerOrder; purpose: string; notes?: string }[] = [
  { order: 'approve', purpose: 'Let a worker in that came without a join string.' },
  { order: 'pause', purpose: 'Give a worker no new builds; what runs there goes on.' },
  {
    order: 'resume',
    purpose: 'Give a worker builds again that was paused or drained, or rests since it refused one.',
  },
  { order: 'drain', purpose: 'Let a worker finish what it runs, then take no more.' },
  {
    order: 'remove',
    purpose: 'Refuse a worker from now on; its builds stay readable.',
    notes: '`bbx worker add NAME` invites it again.',
  },
];

/** `bbx worker …`: who builds. */
export function addWorkerCommands(program: Command, context: Context): void {
  const worker = program.command('worker').description('Invite, admit, look at and stop workers.');

  declare(worker, 'add [name]', {
    purpose: 'Invite a worker; prints the join string for `bbx create-worker --join`.',
    examples: [
      'bbx worker add linux-1 > join',
      'bbx worker add linux-1 --json',
      "bbx worker add --uses 20 --names 'vps-*' --expires 7d > join",
    ],
    notes:
      'Works with the master running or stopped. The same call again gives the same invitation as long as it is ' +
      'good, and says so where it is used up or the name is taken; --renew makes a new one. The join string is a secret: keep it out of command lines and logs.',
  })
    .addOption(
      flag('--expires <duration>', 'how long the join string is good')
        .default(DEFAULT_EXPIRY_MS, '24h')
        .argParser(spanValue),
    )
    .addOption(
      flag('--uses <number>', 'how many workers may join with it')
        .default(1)
        .argParser(numberValue(1, 100_000)),
    )
    .addOption(flag('--names <pattern>', "names that may join, such as 'vps-*'; instead of NAME"))
    .addOption(flag('--renew', 'make a new secret although the old one is still good'))
    .addOption(dirFlag())
    .action(async (name: string | undefined, options: AddOptions) =>
      (await import('../worker-add.ts')).addWorker(context, name, options),
    );

  declare(worker, 'list', {
    purpose: 'List workers.',
    examples: ['bbx worker list', 'bbx worker list --json'],
  })
    .addOption(flag('--all', 'removed ones too'))
    .addOption(dirFlag())
    .action(async (options: ListWorkersOptions) =>
      (await import('../worker-list.ts')).listWorkers(context, options),
    );

  declare(worker, 'show <name>', {
    purpose: 'Show a worker, or wait for it.',
    examples: ['bbx worker show linux-1', 'bbx worker show linux-1 --wait attached --wait-limit 2m'],
    notes: 'With --wait it also waits for a worker that nobody has heard of yet; 124 when the limit passes.',
  })
    .addOption(
      flag('--wait <state>', 'wait until it is so', 'worker').choices([
        'attached',
        'connected',
        'pending',
        'detached',
      ]),
    )
    .addOption(
      flag('--wait-limit <duration>', 'give up waiting after this long')
        .default(60_000, '60s')
        .argParser(durationValue),
    )
    .addOption(dirFlag())
    .action(async (name: string, options: ShowWorkerOptions) =>
      (await import('../worker-show.ts')).showWorker(context, name, options),
    );

  for (const { order, purpose, notes } of ORDERS) {
    declare(worker, `${order} <name>`, {
      purpose,
      examples: [`bbx worker ${order} linux-1`],
      ...(notes === undefined ? {} : { notes }),
    })
      .addOption(dirFlag())
      .action(async (name: string, options: DirOptions) =>
        (await import('../worker-order.ts')).orderWorker(context, order, name, options),
      );
  }
}
