import type { Command } from 'commander';
import { declare, dirFlag } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
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
}
