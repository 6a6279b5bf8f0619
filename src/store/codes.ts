import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';

/** Trouble with the store: its database and its log files. */
export const codes = defineCodes({
  'BBX-STO-URL': row<{ url: string; problem: string }>({
    message: ({ url, problem }) => `Cannot use store "${url}": ${problem}`,
    hint: () => 'Write it as sqlite:state.sqlite, a file in the master’s directory',
    exit: EXIT.configInvalid,
    about: 'The store’s address in the configuration is of a kind that this bbx cannot open.',
  }),
  'BBX-STO-MISSING': row<{ file: string }>({
    message: ({ file }) => `Cannot open store "${file}": there is no such file`,
    hint: () => 'The first start of the master makes it: bbx run master',
    exit: EXIT.notFound,
    about: 'A command wanted to read the store of a master that has never run, or of another directory.',
  }),
  'BBX-STO-OPEN': row<{ file: string; problem: string }>({
    message: ({ file, problem }) => `Cannot open store "${file}": ${problem}`,
    exit: EXIT.conflict,
    about: 'The file of the store could not be opened: its mode, its owner, or its directory is in the way.',
  }),
  'BBX-STO-FOREIGN': row<{ file: string }>({
    message: ({ file }) => `Cannot open store "${file}": it is a database of another program`,
    hint: () => 'Name another file under store: in master.yaml',
    exit: EXIT.conflict,
    about: 'The file is a sound SQLite database, with tables that bbx did not make; bbx leaves it untouched.',
  }),
  'BBX-STO-DAMAGED': row<{ file: string; problem: string }>({
    message: ({ file, problem }) => `Cannot use store "${file}": it is damaged or no database (${problem})`,
    hint: () => 'Set the file aside and restore a backup; bbx db check says what is still readable',
    exit: EXIT.conflict,
    about: 'SQLite found that the file is not a database or that its pages do not fit together.',
  }),
  'BBX-STO-NEWER-SCHEMA': row<{ file: string; found: number; known: number }>({
    message: ({ file, found, known }) =>
      `Cannot open store "${file}": its schema is number ${found} and this bbx knows up to ${known}; use the newer bbx that wrote it`,
    exit: EXIT.conflict,
    about:
      'A newer bbx has upgraded this store. An older one must not touch it, since it does not know what the rows mean.',
  }),
  'BBX-STO-OLDER-SCHEMA': row<{ file: string; found: number; known: number }>({
    message: ({ file, found, known }) =>
      `Cannot read store "${file}": its schema is number ${found} and this bbx needs ${known}; upgrade it first`,
    hint: () => 'Run bbx db upgrade, or start the master once',
    exit: EXIT.conflict,
    about: 'The store was opened for reading only, where it cannot be upgraded on the way.',
  }),
  'BBX-STO-BUSY': row<{ what: string; waitedMs: number }>({
    message: ({ what, waitedMs }) => `Cannot write to the store: ${what} after ${waitedMs} ms`,
    exit: EXIT.conflict,
    retryable: true,
    about: 'Other writes, of this process or of another one, held the store for longer than a write waits.',
  }),
  'BBX-STO-FULL': row<{ file: string }>({
    message: ({ file }) => `Cannot write "${file}": no space is left on its disk; free some`,
    exit: EXIT.conflict,
    retryable: true,
    about:
      'The disk (or the quota) of the master’s directory is full. Nothing is damaged; writing goes on when there is space.',
  }),
  'BBX-STO-IO': row<{ file: string; problem: string }>({
    message: ({ file, problem }) => `Cannot use "${file}": ${problem}`,
    exit: EXIT.conflict,
    retryable: true,
    about:
      'The system could not read or write a file of the store. Nothing that was not written is reported as written.',
  }),
  'BBX-STO-CLOSED': row<{ what: string }>({
    message: ({ what }) => `Cannot use ${what}: it is closed`,
    exit: EXIT.fault,
    about: 'Something used the store after it was closed: a fault of bbx.',
  }),
  'BBX-STO-LOG-HOLE': row<{ logid: number; offset: number; size: number }>({
    message: ({ logid, offset, size }) =>
      `Cannot append to log ${logid} at offset ${offset}: it holds ${size} bytes, the bytes between are missing`,
    exit: EXIT.conflict,
    about:
      'Bytes of a log came that do not follow what is stored. The sender must go on from the stored size.',
  }),
  'BBX-STO-LOG-COMPLETE': row<{ logid: number; size: number }>({
    message: ({ logid, size }) => `Cannot append to log ${logid}: it is complete with ${size} bytes`,
    exit: EXIT.conflict,
    about: 'Bytes of a log came after it was finished.',
  }),
  'BBX-STO-LOG-GONE': row<{ logid: number }>({
    message: ({ logid }) => `Cannot read log ${logid}: its file is gone`,
    hint: () => 'Retention removes old logs; bbx db check names those that are missing without it',
    exit: EXIT.notFound,
    about: 'The log’s file was removed, by retention or by somebody, while it was read or before.',
  }),
  'BBX-STO-LOG-SIZE': row<{ logid: number; size: number; expected: number }>({
    message: ({ logid, size, expected }) =>
      `Cannot finish log ${logid}: ${size} bytes are stored, ${expected} were announced`,
    exit: EXIT.conflict,
    about: 'A log was to be finished before all of it was stored, or with fewer bytes than are stored.',
  }),
  'BBX-STO-LOG-HASH': row<{ logid: number; found: string; expected: string }>({
    message: ({ logid, found, expected }) =>
      `Cannot finish log ${logid}: the stored bytes have SHA-256 ${found}, the sender’s had ${expected}`,
    exit: EXIT.conflict,
    about:
      'The bytes of a log are not those that the sender wrote, although their checksums on this disk hold.',
  }),
  'BBX-STO-LOG-DAMAGED': row<{ file: string; problem: string }>({
    message: ({ file, problem }) => `Cannot read log file "${file}": ${problem}`,
    exit: EXIT.conflict,
    about: 'A log file is damaged so far that nothing of it can be read; other logs are not concerned.',
  }),
});
