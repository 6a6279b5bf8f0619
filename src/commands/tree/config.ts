import { Argument, type Command } from 'commander';
import { declare, dirFlag } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import type { DirOptions } from '../farm.ts';

const KEYS = 'A KEY looks like listen.web, builders.app.steps[0].timeout or workers["vps-*"].tags.';

/** `bbx config …`: look at a configuration, change it, and make a running master take it. */
export function addConfigCommands(program: Command, context: Context): void {
  const config = program
    .command('config')
    .description('Look at the configuration, change it, make it count.');
  const either = () => dirFlag("the master's or worker's");

  declare(config, 'check', {
    purpose: 'Check the configuration and list everything that is wrong.',
    examples: ['bbx config check', 'bbx config check --dir worker --json'],
  })
    .addOption(either())
    .action(async (options: DirOptions) => (await import('../config.ts')).checkConfig(context, options));

  declare(config, 'show', {
    purpose: 'Show the configuration with every default, as it counts here.',
    examples: ['bbx config show', 'bbx config show --origin'],
  })
    .addOption(flag('--origin', 'say where each value comes from: default, file, environment'))
    .addOption(either())
    .action(async (options: DirOptions & { origin?: boolean }) =>
      (await import('../config.ts')).showConfig(context, options),
    );

  declare(config, 'get <key>', {
    purpose: 'Print one value.',
    examples: ['bbx config get listen.web', "bbx config get 'builders.app.steps[0]' --json"],
    notes: KEYS,
  })
    .addOption(either())
    .action(async (key: string, options: DirOptions) =>
      (await import('../config.ts')).getConfig(context, key, options),
    );

  declare(config, 'set <key> <value>', {
    purpose: 'Change one value in the file; comments stay, and only what holds is written.',
    examples: [
      'bbx config set url https://farm.example/',
      "bbx config set workers.linux-1.tags '[linux, x64]'",
    ],
    notes: `${KEYS} A VALUE is read as YAML where that fits, else as text.`,
  })
    .addOption(either())
    .action(async (key: string, value: string, options: DirOptions) =>
      (await import('../config.ts')).setConfig(context, key, value, options),
    );

  declare(config, 'unset <key>', {
    purpose: 'Remove one value from the file, so that its default counts.',
    examples: ['bbx config unset url'],
    notes: KEYS,
  })
    .addOption(either())
    .action(async (key: string, options: DirOptions) =>
      (await import('../config.ts')).unsetConfig(context, key, options),
    );

  declare(config, 'schema', {
    purpose: 'Print the JSON Schema of a configuration, for editors.',
    examples: ['bbx config schema', 'bbx config schema worker'],
  })
    .addArgument(new Argument('[role]', 'default: that of the directory').choices(['master', 'worker']))
    .addOption(either())
    .action(async (role: 'master' | 'worker' | undefined, options: DirOptions) =>
      (await import('../config.ts')).showSchema(context, role, options),
    );

  declare(config, 'plan', {
    purpose: 'Say what the running master would change; nothing is changed.',
    examples: ['bbx config plan'],
  })
    .addOption(dirFlag())
    .action(async (options: DirOptions) => (await import('../config.ts')).planConfig(context, options));

  declare(config, 'apply', {
    purpose: 'Make the running master take the configuration: whole, or not at all.',
    examples: ['bbx config apply'],
    notes: 'Running builds go on as they began.',
  })
    .addOption(dirFlag())
    .action(async (options: DirOptions) => (await import('../config.ts')).applyConfig(context, options));
}
