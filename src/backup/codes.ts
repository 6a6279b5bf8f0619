import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';

/** Trouble with backups and with what is made from them. */
export const codes = defineCodes({
  'BBX-BAK-EXISTS': row<{ file: string }>({
    message: ({ file }) => `Cannot write backup "${file}": it is there already`,
    hint: () => 'Name another file, or replace it with --force',
    exit: EXIT.conflict,
    about: 'A backup is never overwritten by accident: the older one may be the only good one.',
  }),
  'BBX-BAK-DIRECTORY': row<{ file: string }>({
    message: ({ file }) => `Cannot write backup "${file}": it is a directory`,
    hint: () => 'Name the file too: bbx backup DIRECTORY/farm.bbx',
    exit: EXIT.conflict,
    about: 'A backup is one file. A directory is never replaced by it, not even with --force.',
  }),
  'BBX-BAK-FOLDER': row<{ file: string; folder: string }>({
    message: ({ file }) => `Cannot write backup "${file}": its folder is not there`,
    hint: ({ folder }) => `Make it first: mkdir -p ${folder}`,
    exit: EXIT.notFound,
    about:
      'The folder that a backup is to be written to does not exist. It may be a disk that is not mounted, so it is not made.',
  }),
  'BBX-BAK-NOT-ONE': row<{ file: string; problem: string }>({
    message: ({ file, problem }) => `Cannot restore "${file}": ${problem}`,
    hint: () => 'A backup is what bbx backup FILE writes',
    exit: EXIT.notFound,
    about: 'The file is no backup of bbx, or nothing at all could be read of it.',
  }),
  'BBX-BAK-NEWER': row<{ file: string; found: string; known: string }>({
    message: ({ file, found, known }) =>
      `Cannot restore "${file}": it is of ${found} and this bbx knows ${known}; use the newer bbx that made it`,
    exit: EXIT.conflict,
    about: 'The backup has a form, or rows of a schema, that only a newer bbx understands.',
  }),
  'BBX-BAK-DAMAGED': row<{ file: string; problem: string; rescue: boolean }>({
    message: ({ file, problem }) =>
      `Cannot restore "${file}": it is damaged: ${problem}; nothing was written to its place`,
    hint: ({ rescue }) =>
      rescue
        ? 'Take another backup; or restore what holds of this one (rows whole, some logs missing) with --damaged'
        : 'Take another backup: the part of this one without which nothing can be restored does not hold',
    exit: EXIT.failed,
    about:
      'Something in the backup is not what was written: the file was cut, or bytes of it changed. Everything is compared with its sums before ' +
      'anything has its final name.',
  }),
  'BBX-BAK-TARGET': row<{ dir: string; problem: string }>({
    message: ({ dir, problem }) => `Cannot restore to "${dir}": ${problem}`,
    hint: () => 'Name a directory that is new or empty',
    exit: EXIT.conflict,
    about: 'A restore never writes over something that is there: it may be the farm that is still wanted.',
  }),
  'BBX-BAK-STORE': row<{ store: string; problem: string }>({
    message: ({ store, problem }) => `Cannot restore rows to store "${store}": ${problem}`,
    hint: () => 'Name an empty one with --store, such as --store sqlite:state.sqlite',
    exit: EXIT.conflict,
    about:
      'The configuration in the backup names a store outside the new directory that is in use, perhaps by the farm that the backup was taken from.',
  }),
});
