import { Command } from 'commander';
import type { Context } from './terminal/context.ts';
import { BBX_VERSION } from './version.ts';

/**
 * The whole command tree. Flags and words stand here; what a command does is imported when it is called, so `--help` and `--version`
 * load nothing else.
 */
export function createProgram(context: Context): Command {
  const program = new Command('bbx')
    .description('Creates, configures, runs and diagnoses build farms.')
    .version(BBX_VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help for a command')
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // terminal/exit.ts prints it, as words or as JSON.
      outputError: () => undefined,
    });
  return program;
}
