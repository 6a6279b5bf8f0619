import type { Command } from 'commander';
import type { DrillOptions } from '../drill.ts';
import { declare } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import { numberValue } from '../terminal/values.ts';

/** Seeds and rounds as they are written into a report. */
const MOST = 1_000_000;

/** `drill`: outages on a farm of its own. */
export function addDrillCommand(program: Command, context: Context): void {
  declare(program, 'drill', {
    purpose: 'Rehearse outages on a farm of its own in a temporary directory, and say what was lost.',
    examples: [
      'bbx drill --rounds 20',
      'bbx drill --faults master-kill,link --rounds 50 --seed 7',
      'bbx drill --list',
      'bbx drill --soak 1000',
      'bbx drill --soak 1000 --faults master,worker-kill',
      'bbx drill --seed 7 --rounds 100 --dry-run',
    ],
    notes:
      'A round is builds in flight, one fault, and a look at everything that is left: results, every byte of the logs, events, spools, processes. ' +
      'The same seed plans the same faults, times and builds. No other farm is touched. What each fault is: docs/drill.md.',
  })
    .addOption(
      flag('--seed <number>', 'what the plan is drawn from (default: a new one, which is printed)').argParser(
        numberValue(0, MOST),
      ),
    )
    .addOption(flag('--rounds <number>', 'how many').default(20).argParser(numberValue(1, MOST)))
    .addOption(
      flag('--from <number>', 'number of the first round, to repeat one')
        .default(1)
        .argParser(numberValue(1, MOST)),
    )
    .addOption(flag('--faults <names>', 'only these, with commas; "link" stands for all that begin so'))
    .addOption(flag('--workers <number>', 'workers of the farm').default(2).argParser(numberValue(1, 20)))
    .addOption(
      flag('--store <kind>', 'where its master keeps its state; a PostgreSQL is started for it', 'drill')
        .choices(['sqlite', 'postgres'])
        .default('sqlite'),
    )
    .addOption(flag('--jobs <number>', 'farms at the same time').default(1).argParser(numberValue(1, 16)))
    .addOption(flag('--long', 'draw from the whole ranges of times, not mostly short ones'))
    .addOption(flag('--keep', 'keep the directories of farms on which nothing went wrong, too'))
    .addOption(flag('--strict', 'do not begin when one of the faults cannot be made here'))
    .addOption(flag('--dry-run', 'print the plan, and do nothing'))
    .addOption(
      flag(
        '--soak <builds>',
        'so many builds, and what grows meanwhile; a fault after every 50 where --faults names some',
      ).argParser(numberValue(1, MOST)),
    )
    .addOption(flag('--list', 'list the faults'))
    .action(async (options: DrillOptions) => (await import('../drill.ts')).drill(context, options));
}
