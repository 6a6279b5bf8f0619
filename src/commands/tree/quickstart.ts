import type { Command } from 'commander';
import type { QuickstartOptions } from '../quickstart.ts';
import { declare } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import { listValue } from '../terminal/values.ts';

/** `quickstart`: a whole farm in one process. */
export function addQuickstartCommand(program: Command, context: Context): void {
  declare(program, 'quickstart [dir]', {
    purpose: 'Run a whole farm in this process and build a real repository (default directory: ./bbx-farm).',
    examples: [
      'bbx quickstart',
      'bbx quickstart --repository https://git.example/app.git',
      'bbx quickstart /tmp/farm --repository . --run "make test" --yes --once',
    ],
    notes:
      "How to build it is read from the repository's root (package.json, Cargo.toml, go.mod, pyproject.toml, CMakeLists.txt, Makefile) unless " +
      '--run says it. What was chosen is shown, and nothing of a given repository runs before a yes. Called again, it starts the same farm.',
  })
    .addOption(
      flag('--repository <url>', 'what to build: an address or a path (default: a small one that is made)'),
    )
    .addOption(flag('--run <command>', 'a command that builds it; repeatable, in order').argParser(listValue))
    .addOption(flag('--yes', "run the repository's commands without asking"))
    .addOption(flag('--once', 'end after the first build, with its exit code'))
    .action(async (dir: string | undefined, options: QuickstartOptions) =>
      (await import('../quickstart.ts')).quickstart(context, dir, options),
    );
}
