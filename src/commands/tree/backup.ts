import type { Command } from 'commander';
import type { BackupOptions } from '../backup.ts';
import type { RestoreOptions } from '../restore.ts';
import { declare, dirFlag } from '../terminal/command.ts';
import type { Context } from '../terminal/context.ts';
import { flag } from '../terminal/flag.ts';

/** `bbx backup`, `bbx restore`: a whole farm in one file, and back. */
export function addBackupCommands(program: Command, context: Context): void {
  declare(program, 'backup <file>', {
    purpose: 'Write configuration, keys, store and logs of a master to one file.',
    examples: [
      'bbx backup farm.bbx',
      'bbx backup farm.bbx --force --dir master',
      'bbx backup - --dir master | ssh other "cat > farm.bbx"',
    ],
    notes:
      'The master may run: rows are those of one moment, logs as far as they had come. FILE has its name when all of it is there; - is stdout. ' +
      'The farm’s private key and secrets are in it.',
  })
    .addOption(flag('--force', 'replace FILE when it is there'))
    .addOption(dirFlag())
    .action(async (file: string, options: BackupOptions) =>
      (await import('../backup.ts')).backup(context, file, options),
    );

  declare(program, 'restore <file> [dir]', {
    purpose: "Make a master's directory from a backup.",
    examples: [
      'bbx restore farm.bbx',
      'bbx restore farm.bbx /srv/farm',
      'bbx restore farm.bbx new --store sqlite:state.sqlite',
    ],
    notes:
      'DIR (default: ./master) must be new or empty. Everything is compared with its sums before anything stands there. FILE - is stdin. ' +
      'A restored store begins a new life: builds that workers have from the other one are set aside there, and reported.',
  })
    .addOption(flag('--store <url>', 'put the rows there instead of where the configuration says', 'restore'))
    .addOption(flag('--damaged', 'restore what holds of a damaged backup'))
    .action(async (file: string, dir: string | undefined, options: RestoreOptions) =>
      (await import('../restore.ts')).restore(context, file, dir ?? 'master', options),
    );
}
