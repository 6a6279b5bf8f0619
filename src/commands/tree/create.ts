import { Option, type Command } from 'commander';
import { declare } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';
import { spanValue, listValue, numberValue } from '../terminal/values.ts';
import type { CreateMasterOptions } from '../create-master-answers.ts';
import type { CreateWorkerOptions } from '../create-worker.ts';
import type { IdentityOptions } from '../identity.ts';

/** `create-master`, `create-worker`, `identity new`: what makes a farm's directories. */
export function addCreateCommands(program: Command, context: Context): void {
  const again =
    'The same call again changes nothing. Other answers show the difference and want --force, which keeps what it replaces as .old ' +
    'and never touches keys, store or logs.';
  const common = (command: Command) =>
    command
      .addOption(flag('--force', 'change a directory that was made with other answers'))
      .addOption(flag('--dry-run', 'say what would be written, and write nothing'));
  const repeatable = (flags: string, description: string) => flag(flags, description).argParser(listValue);
  const fromEnvironment = (command: Command) => (name: string) =>
    command.getOptionValueSource(name) === 'env';

  common(
    declare(program, 'create-master [dir]', {
      purpose: "Make a master's directory (default: ./master).",
      examples: [
        'bbx create-master',
        'bbx create-master /srv/farm --reach farm.example:9989',
        'bbx create-master --repository https://git.example/app.git --run "npm ci" --run "npm test"',
        'bbx create-master --identity @farm-identity.json',
      ],
      notes: again,
    }),
  )
    .addOption(flag('--name <title>', 'a title for the farm'))
    .addOption(repeatable('--listen <address>', 'where workers connect (default [::]:9989); repeatable'))
    .addOption(
      repeatable('--web-listen <address>', 'where browsers connect (default localhost:8010); repeatable'),
    )
    .addOption(repeatable('--reach <address>', 'how workers get here, best first; repeatable'))
    .addOption(flag('--store <url>', 'where the farm keeps its state (default sqlite:state.sqlite)'))
    .addOption(flag('--repository <url>', 'a repository to build: an address or a path'))
    .addOption(flag('--builder <name>', "a name for its builder (default: the repository's)"))
    .addOption(repeatable('--run <command>', 'a command that builds it; repeatable, in order'))
    .addOption(flag('--format <format>', 'master.yaml, or master.config.ts').choices(['yaml', 'ts']))
    .addOption(
      flag('--identity <@file>', 'adopt what "bbx identity new" made: @FILE, or - for standard input'),
    )
    .action(async (dir: string | undefined, options: CreateMasterOptions, command: Command) =>
      (await import('../create-master.ts')).createMaster(context, dir, options, fromEnvironment(command)),
    );

  common(
    declare(program, 'create-worker [dir]', {
      purpose: "Make a worker's directory (default: ./worker); the network is not used.",
      examples: [
        'bbx create-worker --master farm.example:9989',
        'bbx create-worker --master "[2001:db8::2]:9989" --name linux-1',
        'bbx create-worker /srv/worker --join @join.txt',
      ],
      notes:
        'Without a join string the worker makes a key at its first run, remembers the master\'s, and waits for "bbx worker approve". ' +
        'A join string that the directory has not had before is kept for the next run, such as after "bbx worker remove" and "add". ' +
        again,
    }),
  )
    .addOption(repeatable('--master <address>', 'where the master is; repeatable, best first'))
    .addOption(flag('--name <name>', "the worker's name (default: the join string's, else this host's)"))
    .addOption(flag('--join <@file>', 'a join string of "bbx worker add": @FILE, or - for standard input'))
    .addOption(
      repeatable('--via <hop>', 'a hop on the way: ssh:me@host, socks5://…, http://proxy:3128; repeatable'),
    )
    .addOption(flag('--max-builds <number>', 'builds at the same time').argParser(numberValue(1, 1_000)))
    .addOption(repeatable('--tag <tag>', 'a tag that this worker brings; repeatable'))
    .action(async (dir: string | undefined, options: CreateWorkerOptions, command: Command) =>
      (await import('../create-worker.ts')).createWorker(context, dir, options, fromEnvironment(command)),
    );

  const identity = program.command('identity').description("A farm's key.");
  declare(identity, 'new', {
    purpose: "Make a farm's key and join strings before its master exists.",
    examples: [
      'bbx identity new --reach farm.example:9989 --worker linux-1 --worker linux-2 --out farm-identity.json',
    ],
    notes:
      'The file holds the private key: "bbx create-master --identity @FILE" adopts it. An existing file is not replaced.',
  })
    .addOption(new Option('--worker <name>', 'make a join string for it; repeatable').argParser(listValue))
    .addOption(repeatable('--reach <address>', 'how workers will get to the master, best first; repeatable'))
    .addOption(
      flag('--expires <duration>', 'how long the join strings are good (default 30d)').argParser(spanValue),
    )
    .addOption(flag('--out <file>', 'write into this file, mode 0600, instead of stdout'))
    .action(async (options: IdentityOptions) =>
      (await import('../identity.ts')).newIdentity(context, options),
    );
}
