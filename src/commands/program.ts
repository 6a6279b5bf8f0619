import { Command } from 'commander';
import { addHelpCommand } from './tree/help.ts';
import type { Context } from './terminal/context.ts';
import { usageErrorOf } from './terminal/usage-error.ts';
import { flag } from './terminal/flag.ts';
import { addBackupCommands } from './tree/backup.ts';
import { addBuildCommands } from './tree/build.ts';
import { addBuilderCommands } from './tree/builder.ts';
import { addDoctorCommands } from './tree/doctor.ts';
import { addDrillCommand } from './tree/drill.ts';
import { addConfigCommands } from './tree/config.ts';
import { addCreateCommands } from './tree/create.ts';
import { addFarmCommands } from './tree/farm.ts';
import { addQuickstartCommand } from './tree/quickstart.ts';
import { addRunCommands } from './tree/run.ts';
import { addWorkerCommands } from './tree/worker.ts';
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
    // In the words of the flag, for the groups that follow; the program itself has its own.
    .helpCommand('help [command]', 'Print help for a command.')
    // context.ts reads these two itself, since errors of the parser must obey them as well.
    .addOption(flag('--json', 'print JSON and nothing else on stdout, errors as JSON on stderr'))
    .addOption(flag('--no-input', 'never ask a question'))
    .configureHelp({ showGlobalOptions: true })
    .exitOverride(usageErrorOf)
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      // Only help comes here, for a group that was called without a command.
      writeErr: (text) => (context.json ? undefined : context.stderr.write(text)),
      // terminal/exit.ts prints it, as words or as JSON.
      outputError: () => undefined,
    });
  addQuickstartCommand(program, context);
  addCreateCommands(program, context);
  addRunCommands(program, context);
  addConfigCommands(program, context);
  addDoctorCommands(program, context);
  addDrillCommand(program, context);
  addFarmCommands(program, context);
  addBackupCommands(program, context);
  addWorkerCommands(program, context);
  addBuilderCommands(program, context);
  addBuildCommands(program, context);
  addHelpCommand(program.helpCommand(false));
  return program;
}
