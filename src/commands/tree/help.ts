import type { Command } from 'commander';
import { declare } from '../terminal/command.ts';

/** `bbx help build log`: the same page as `bbx build log --help`; the parser's own `help` takes one word only. */
export function addHelpCommand(program: Command): void {
  declare(program, 'help [command...]', {
    purpose: 'Print help for a command.',
    examples: ['bbx help', 'bbx help build log'],
  }).action((words: string[]) => {
    let command = program;
    for (const word of words) {
      const next = command.commands.find((child) => child.name() === word);
      if (next === undefined)
        return command.error(`error: unknown command '${word}'`, { code: 'commander.unknownCommand' });
      command = next;
    }
    command.help();
  });
}
