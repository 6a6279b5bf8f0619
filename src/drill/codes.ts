import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';

/** Trouble of the drill itself: what it finds wrong with a farm is its answer, not an error. */
export const codes = defineCodes({
  'BBX-DRI-FAULT': row<{ name: string; near?: string | undefined }>({
    message: ({ name, near }) =>
      `Cannot rehearse "${name}": no such fault${near === undefined ? '' : `; did you mean "${near}"?`}`,
    hint: () => 'See all of them: bbx drill --list',
    exit: EXIT.usage,
    about: 'A name given to `--faults` is not one of those that `bbx drill --list` prints.',
  }),
  'BBX-DRI-NO-POSTGRES': row<object>({
    message: () =>
      'Cannot begin the drill: PostgreSQL is not installed (neither initdb nor postgres was found)',
    hint: () => 'Install its server, or leave --store out',
    exit: EXIT.unknown,
    about:
      'With `--store postgres` a drill starts a PostgreSQL of its own, whose programs must be on this machine.',
  }),
  'BBX-DRI-NOTHING': row<{ reasons: readonly string[] }>({
    message: ({ reasons }) => `Cannot begin the drill: no fault is left to rehearse (${reasons.join('; ')})`,
    hint: () => 'Name others with --faults; see bbx drill --list',
    exit: EXIT.usage,
    about: 'Every fault that was asked for needs something that this machine, user or store does not have.',
  }),
  'BBX-DRI-SKIPPED': row<{ reasons: readonly string[] }>({
    message: ({ reasons }) => `Cannot rehearse everything that was asked for: ${reasons.join('; ')}`,
    hint: () => 'Without --strict the rest is rehearsed',
    exit: EXIT.unknown,
    about: 'With `--strict` a drill does not begin where one of its faults cannot be made.',
  }),
  'BBX-DRI-SANDBOX': row<{ what: string; dir: string; said: string }>({
    message: ({ what, said }) => `Cannot set up the farm of the drill: ${what}: ${said}`,
    hint: ({ dir }) => `What its programs said stands in ${dir}`,
    exit: EXIT.infrastructure,
    about: 'A command that makes or starts the sandbox farm failed before any fault was made.',
  }),
});
