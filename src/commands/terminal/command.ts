import type { Command } from 'commander';
import { wrap } from '../../base/lines.ts';
import { flag } from './flag.ts';

/** Help that goes to no terminal is as wide as the smallest one. */
const USUAL_WIDTH = 80;

/** What stands on a command's help page beside its flags. */
export interface Page {
  /** One line: what it does. */
  purpose: string;
  /** Whole command lines that work as they stand. */
  examples: readonly string[];
  /** A paragraph on what the flags do not say. */
  notes?: string;
}

/** How a BUILD is written on the command line; every command that takes one prints it. */
export const BUILD_GRAMMAR =
  'A BUILD is builder/12, an id (4711), or a builder for its newest build; r17 is a build request.';

/** Adds a command with its help page: purpose first, then flags, examples, notes. */
export function declare(parent: Command, nameAndArguments: string, page: Page): Command {
  const examples = page.examples.map((line) => `  ${line}`).join('\n');
  return parent
    .command(nameAndArguments)
    .description(page.purpose)
    .addHelpText('after', ({ command }) => {
      const width = command.configureOutput().getOutHelpWidth?.() ?? USUAL_WIDTH;
      const notes = page.notes === undefined ? '' : `\n${wrap(page.notes, width).join('\n')}\n`;
      // A line that is to be copied stays one.
      return `\nExamples:\n${examples}\n${notes}`;
    });
}

/** Where the master (or worker) stands, for commands that do not take the directory as an argument. */
export function dirFlag(whose = "the master's") {
  return flag('--dir <dir>', `${whose} directory; default: this one and upwards, then ./master, ./worker`);
}
