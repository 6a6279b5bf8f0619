import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';

/** Trouble with making a directory. In all of them the disk is as it was. */
export const codes = defineCodes({
  'BBX-TPL-NOT-EMPTY': row<{ dir: string; role: string; found: string }>({
    message: ({ dir, role, found }) =>
      `Cannot make a ${role} in "${dir}": it holds something else (${found})`,
    hint: () => 'Name another directory, or an empty one',
    exit: EXIT.conflict,
    about: 'A directory is only used when it is empty or was made by the same command before.',
  }),
  'BBX-TPL-OTHER-ROLE': row<{ dir: string; role: string; other: string }>({
    message: ({ dir, role, other }) => `Cannot make a ${role} in "${dir}": it is the directory of a ${other}`,
    hint: () => 'Name another directory',
    exit: EXIT.conflict,
    about: 'A master and a worker each have a directory of their own.',
  }),
  'BBX-TPL-DIFFERS': row<{ dir: string; differences: readonly string[] }>({
    message: ({ dir, differences }) =>
      `Cannot change "${dir}": it was made with other answers (${differences.join('; ')})`,
    hint: () =>
      'Edit its configuration, or add --force: it keeps replaced files as .old and never touches keys, store or logs',
    exit: EXIT.conflict,
    about:
      'The command was called before with other answers; the directory remembers them in .bbx/answers.json.',
  }),
  'BBX-TPL-OTHER-KEY': row<{ dir: string; pin: string }>({
    message: ({ dir, pin }) => `Cannot adopt that identity in "${dir}": it has a key of its own (${pin})`,
    hint: () => 'Workers trust that key, so it is never replaced: name another directory',
    exit: EXIT.conflict,
    about: 'A farm keeps its key; another identity belongs into another directory.',
  }),
  'BBX-TPL-ANSWERS': row<{ file: string }>({
    message: ({ file }) => `Cannot read "${file}": it is not what bbx wrote there`,
    hint: () => 'Restore it, or remove it: the files beside it are then kept and missing ones are made',
    exit: EXIT.conflict,
    about: 'The record of the first call is damaged, so nothing can be compared with it.',
  }),
  'BBX-TPL-WRITE': row<{ path: string; reason: string }>({
    message: ({ path, reason }) => `Cannot write "${path}": ${reason}`,
    hint: () => 'Name another directory',
    exit: EXIT.failed,
    about:
      'The directory or a file in it could not be written: a file stands where a directory must be, a name is too long, or the file system ' +
      'takes no new files.',
  }),
});
