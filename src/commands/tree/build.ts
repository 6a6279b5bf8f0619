import { Option, type Command } from 'commander';
import { BUILD_GRAMMAR, declare, dirFlag } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import { durationValue, numberValue, propertyValueOf, revisionValue } from '../terminal/values.ts';
import type { CancelOptions } from '../build-cancel.ts';
import type { ListBuildsOptions } from '../build-list.ts';
import type { LogOptions } from '../build-log.ts';
import type { StartOptions } from '../build-start.ts';
import type { WatchOptions } from '../build-watch.ts';
import type { DirOptions } from '../farm.ts';

const ENDS =
  'Ends with the build: 0 success or warnings, 1 failure, 9 cancelled, 11 exception or retry, 124 time limit, 130 Ctrl-C ' +
  '(the build goes on after the last two).';

/** `bbx build …`: the work of every day. */
export function addBuildCommands(program: Command, context: Context): void {
  const build = program.command('build').description('Start, look at, follow and stop builds.');

  declare(build, 'start <builder>', {
    purpose: 'Ask for a build; prints the request.',
    examples: [
      'bbx build start app',
      'bbx build start app --branch release/2 --reason "try the fix" --wait',
      'bbx build start app --property target=arm64 --priority 10 --json',
    ],
    notes: `With --wait: ${ENDS}`,
  })
    .addOption(flag('--branch <branch>', "branch to build; default: the repository's first"))
    .addOption(
      flag('--revision <id>', 'full commit id; default: the newest of the branch').argParser(revisionValue),
    )
    .addOption(flag('--reason <text>', 'why, for the people who look at it').default('forced'))
    .addOption(new Option('--property <name=value>', 'a property; repeatable').argParser(propertyValueOf))
    .addOption(
      flag('--priority <number>', 'higher goes first')
        .default(0)
        .argParser(numberValue(-1_000_000, 1_000_000)),
    )
    .addOption(flag('--wait', 'follow its steps and end with its result'))
    .addOption(flag('--wait-limit <duration>', 'give up waiting after this long').argParser(durationValue))
    .addOption(dirFlag())
    .action(async (builder: string, options: StartOptions) =>
      (await import('../build-start.ts')).startBuild(context, builder, options),
    );

  declare(build, 'list', {
    purpose: 'List builds, newest first.',
    examples: ['bbx build list', 'bbx build list --builder app --limit 5 --json'],
  })
    .addOption(flag('--builder <name>', 'only of this builder'))
    .addOption(flag('--worker <name>', 'only on this worker'))
    .addOption(flag('--running', 'only those that run now'))
    .addOption(flag('--limit <number>', 'how many').default(20).argParser(numberValue(1, 1_000)))
    .addOption(dirFlag())
    .action(async (options: ListBuildsOptions) =>
      (await import('../build-list.ts')).listBuilds(context, options),
    );

  declare(build, 'show <build>', {
    purpose: 'Show a build with its steps and logs, or a request.',
    examples: ['bbx build show app/12', 'bbx build show app', 'bbx build show r17 --json'],
    notes: BUILD_GRAMMAR,
  })
    .addOption(dirFlag())
    .action(async (name: string, options: DirOptions) =>
      (await import('../build-show.ts')).showBuild(context, name, options),
    );

  declare(build, 'watch <build>', {
    purpose: 'Follow the steps of a build, or of a request, to the end.',
    examples: [
      'bbx build watch app',
      'bbx build watch app/12 --json',
      'bbx build watch r17 --wait-limit 10m',
    ],
    notes: `${BUILD_GRAMMAR} ${ENDS}`,
  })
    .addOption(flag('--wait-limit <duration>', 'give up waiting after this long').argParser(durationValue))
    .addOption(dirFlag())
    .action(async (name: string, options: WatchOptions) =>
      (await import('../build-watch.ts')).watchBuild(context, name, options),
    );

  declare(build, 'log <build>', {
    purpose: "Print a build's logs.",
    examples: [
      'bbx build log app/12',
      'bbx build log app -f',
      'bbx build log app/12 --step test --raw > test.log',
      'bbx build log app/12 --verify',
    ],
    notes: `${BUILD_GRAMMAR} A step is its number or its name. With --json: JSON Lines; bytes that are not UTF-8 come as base64. What the master's disk has lost is drawn as a hole, never as zeros. Where a log breaks off since its worker was lost, a line says so and why. With --verify: exit 1 when a log is not what was stored.`,
  })
    .addOption(flag('-f, --follow', 'go on until the build ends'))
    .addOption(flag('--step <step>', 'only this step, by number or name'))
    .addOption(flag('--raw', 'exactly the bytes that the commands wrote, and nothing else'))
    .addOption(flag('--verify', 'read all of it again and compare size and hash; print no log'))
    .addOption(dirFlag())
    .action(async (name: string, options: LogOptions) =>
      (await import('../build-log.ts')).printLog(context, name, options),
    );

  declare(build, 'cancel <build>', {
    purpose: 'Stop a running build, or take a waiting request back.',
    examples: ['bbx build cancel app/12 --reason "wrong branch"', 'bbx build cancel r17'],
    notes: BUILD_GRAMMAR,
  })
    .addOption(flag('--reason <text>', 'why, for the people who look at it').default(''))
    .addOption(dirFlag())
    .action(async (name: string, options: CancelOptions) =>
      (await import('../build-cancel.ts')).cancelBuild(context, name, options),
    );

  declare(build, 'retry <build>', {
    purpose: 'Ask for the same build again: same source, same properties.',
    examples: ['bbx build retry app/12', 'bbx build retry app/12 --wait', 'bbx build retry r17'],
    notes: BUILD_GRAMMAR,
  })
    .addOption(flag('--wait', 'follow its steps and end with its result'))
    .addOption(flag('--wait-limit <duration>', 'give up waiting after this long').argParser(durationValue))
    .addOption(dirFlag())
    .action(async (name: string, options: WatchOptions & { wait?: boolean }) =>
      (await import('../build-retry.ts')).retryBuild(context, name, options),
    );
}
