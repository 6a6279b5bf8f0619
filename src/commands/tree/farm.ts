import { Option, type Command } from 'commander';
import { BUILD_GRAMMAR, declare, dirFlag } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import { durationValue, listValue, numberValue, propertyValueOf, revisionValue } from '../terminal/values.ts';
import type { ListChangesOptions } from '../change-list.ts';
import type { SendOptions } from '../change-send.ts';
import type { DirOptions } from '../farm.ts';
import type { StatusOptions } from '../status.ts';

/** Commands about the farm as a whole: `status`, `why`, `change …`, `db …`. */
export function addFarmCommands(program: Command, context: Context): void {
  declare(program, 'status', {
    purpose: 'Show the farm: master, workers, builds, and what does not work.',
    examples: ['bbx status', 'bbx status --wait 60s', 'bbx status --json', 'bbx status --dir worker'],
    notes:
      "In a worker's directory: whether it runs and is connected, and what happened to its link, as it wrote it down itself.",
  })
    .addOption(
      flag('--wait <duration>', 'wait so long for the master to answer', 'status').argParser(durationValue),
    )
    .addOption(dirFlag())
    .action(async (options: StatusOptions) => (await import('../status.ts')).showStatus(context, options));

  declare(program, 'why <subject>', {
    purpose: 'Say why something waits, was not built, or ended as it did.',
    examples: ['bbx why r17', 'bbx why app/12', 'bbx why c5', 'bbx why 3f2a9c1', 'bbx why repository/app'],
    notes: `A subject is a BUILD, a request, a change (c5), a revision, or a repository (its name or address; repository/NAME where a builder has the same name, of which both are told otherwise). ${BUILD_GRAMMAR}`,
  })
    .addOption(dirFlag())
    .action(async (subject: string, options: DirOptions) =>
      (await import('../why.ts')).showWhy(context, subject, options),
    );

  const change = program.command('change').description('Changes of repositories.');
  declare(change, 'list', {
    purpose: 'List changes, newest first.',
    examples: ['bbx change list', 'bbx change list --limit 5 --json'],
  })
    .addOption(flag('--limit <number>', 'how many').default(20).argParser(numberValue(1, 1_000)))
    .addOption(dirFlag())
    .action(async (options: ListChangesOptions) =>
      (await import('../change-list.ts')).listChanges(context, options),
    );
  declare(change, 'send', {
    purpose: 'Tell the master of a change, for repositories that it does not poll.',
    examples: [
      'bbx change send --repository app --branch main --revision 4d5e6f0000000000000000000000000000000000',
      'bbx change send --repository app --branch main --revision "$(git rev-parse HEAD)" --author "$USER" --file src/a.c',
    ],
  })
    .addOption(flag('--repository <name>', 'its name in master.yaml').makeOptionMandatory())
    .addOption(flag('--branch <branch>', 'the branch that moved').makeOptionMandatory())
    .addOption(flag('--revision <id>', 'the commit').argParser(revisionValue).makeOptionMandatory())
    .addOption(flag('--author <name>', 'who made it').default(''))
    .addOption(flag('--comments <text>', 'what it says').default(''))
    .addOption(new Option('--file <path>', 'a file that it touches; repeatable').argParser(listValue))
    .addOption(new Option('--property <name=value>', 'a property; repeatable').argParser(propertyValueOf))
    .addOption(dirFlag())
    .action(async (options: SendOptions) => (await import('../change-send.ts')).sendChange(context, options));

  const db = program.command('db').description("The master's store.");
  declare(db, 'check', {
    purpose: 'Read the whole store and every log, and say what is damaged or missing.',
    examples: ['bbx db check', 'bbx db check --dir master --json'],
    notes:
      'The master may run, and nothing is changed. It takes as long as the disk takes to read all of it. Exit 1: data is missing or damaged.',
  })
    .addOption(dirFlag())
    .action(async (options: DirOptions) => (await import('../db.ts')).checkStore(context, options));
  declare(db, 'upgrade', {
    purpose: 'Bring the store to this version; the master must be stopped.',
    examples: ['bbx db upgrade'],
  })
    .addOption(dirFlag())
    .action(async (options: DirOptions) => (await import('../db.ts')).upgradeStore(context, options));
}
