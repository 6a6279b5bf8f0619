import type { Command } from 'commander';
import { declare, dirFlag } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import { listValue } from '../terminal/values.ts';
import type { AddBuilderOptions } from '../builder-add.ts';
import type { DirOptions } from '../farm.ts';

/** `bbx builder …`: what the farm can build. */
export function addBuilderCommands(program: Command, context: Context): void {
  const builder = program.command('builder').description('Look at builders, and add them.');

  declare(builder, 'list', {
    purpose: 'List builders with their newest result.',
    examples: ['bbx builder list', 'bbx builder list --json'],
  })
    .addOption(dirFlag())
    .action(async (options: DirOptions) => (await import('../builder.ts')).listBuilders(context, options));

  declare(builder, 'show <builder>', {
    purpose: 'Show a builder with its workers and newest builds.',
    examples: ['bbx builder show app'],
  })
    .addOption(dirFlag())
    .action(async (name: string, options: DirOptions) =>
      (await import('../builder.ts')).showBuilder(context, name, options),
    );

  declare(builder, 'add <name>', {
    purpose: "Add a builder to the master's configuration; the same call again changes nothing.",
    examples: [
      'bbx builder add app --repository https://git.example/app.git --run "npm ci" --run "npm test"',
      'bbx builder add docs --repository app --run "make docs" --tag linux',
    ],
    notes: 'With a repository its pushes are built, too. A running master takes it with "bbx config apply".',
  })
    .addOption(
      flag('--run <command>', 'a step; repeatable, in order').argParser(listValue).makeOptionMandatory(),
    )
    .addOption(flag('--repository <name>', 'its name in master.yaml, or an address or path, which is added'))
    .addOption(flag('--tag <tag>', 'workers must have it; repeatable').argParser(listValue))
    .addOption(dirFlag())
    .action(async (name: string, options: AddBuilderOptions) =>
      (await import('../builder-add.ts')).addBuilder(context, name, options),
    );
}
