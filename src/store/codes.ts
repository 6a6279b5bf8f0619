import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';

/** Trouble with the store: its database and its log files. */
export const codes = defineCodes({
  'BBX-STO-URL': row<{ url: string; problem: string }>({
    message: ({ url, problem }) => `Cannot use store "${url}": ${problem}`,
    hint: () =>
      'Write it as sqlite:state.sqlite, a file in the master’s directory, or as postgres://user@host/database; a password comes from PGPASSWORD, ~/.pgpass or ?password=@FILE',
    exit: EXIT.configInvalid,
    about: 'The store’s address in the configuration is of a kind that this bbx cannot open.',
  }),
  'BBX-STO-MISSING': row<{ file: string }>({
    message: ({ file }) => `Cannot open store "${file}": there is none yet`,
    hint: () => 'The first start of the master makes it: bbx run master',
    exit: EXIT.notFound,
    about: 'A command wanted to read the store of a master that has never run, or of another directory.',
  }),
  'BBX-STO-OPEN': row<{ file: string; problem: string }>({
    message: ({ file, problem }) => `Cannot open store "${file}": ${problem}`,
    hint: ({ file }) =>
      file.startsWith('postgres')
        ? 'Mend the database, or name another one under store: in master.yaml'
        : 'See whether the user who runs bbx may write the file and its directory: ls -ld',
    exit: EXIT.conflict,
    about:
      'The file of the store could not be opened: its mode, its owner, or its directory is in the way. Of PostgreSQL: the database is none that bbx can use.',
  }),
  'BBX-STO-FOREIGN': row<{ file: string }>({
    message: ({ file }) => `Cannot open store "${file}": it is a database of another program`,
    hint: () => 'Name another file under store: in master.yaml',
    exit: EXIT.conflict,
    about: 'The file is a sound SQLite database, with tables that bbx did not make; bbx leaves it untouched.',
  }),
  'BBX-STO-DAMAGED': row<{ file: string; problem: string }>({
    message: ({ file, problem }) => `Cannot use store "${file}": it is damaged or no database (${problem})`,
    hint: () =>
      'See what is damaged: bbx db check. The way out is the newest backup, in a new directory: bbx restore FILE DIR',
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
  'BBX-STO-AWAY': row<{ store: string; problem: string }>({
    message: ({ store, problem }) => `Cannot reach store "${store}": ${problem}`,
    hint: () => 'Look whether PostgreSQL runs there and takes connections: psql with the same address',
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'PostgreSQL does not answer, starts or stops, or takes no more connections. A running master goes on by itself when it is back; builds go on at their workers meanwhile.',
  }),
  'BBX-STO-LOGIN': row<{ store: string; problem: string }>({
    message: ({ store, problem }) => `Cannot log in to store "${store}": ${problem}`,
    hint: () => 'A password comes from PGPASSWORD, ~/.pgpass or ?password=@FILE in the address',
    exit: EXIT.unauthenticated,
    about:
      'PostgreSQL refuses the user: the password is wrong or missing, or pg_hba.conf does not let it in.',
  }),
  'BBX-STO-TLS': row<{ store: string; problem: string }>({
    message: ({ store, problem }) => `Cannot trust the server of store "${store}": ${problem}`,
    hint: () =>
      'Name the certificate that signed its own with ?sslrootcert=FILE; ?sslmode=require encrypts without looking, ?sslmode=disable does neither',
    exit: EXIT.unreachable,
    about:
      'To another machine the connection to PostgreSQL is encrypted and its certificate checked, unless the address says otherwise.',
  }),
  'BBX-STO-NO-DATABASE': row<{ store: string; problem: string }>({
    message: ({ store, problem }) => `Cannot open store "${store}": ${problem}`,
    hint: () => 'Make it, owned by the user of the address: createdb --encoding=UTF8 --owner=USER DATABASE',
    exit: EXIT.notFound,
    about: 'PostgreSQL has no database of that name. bbx makes its tables, not the database.',
  }),
  'BBX-STO-RIGHTS': row<{ store: string; problem: string }>({
    message: ({ store, problem }) => `Cannot use store "${store}": ${problem}`,
    hint: () => 'Let the user of the master own it: chown the file, or alter database NAME owner to USER',
    exit: EXIT.forbidden,
    about:
      'The system or PostgreSQL does not permit what the store needs: to read and write the file, or to make tables in the schema.',
  }),
  'BBX-STO-HELD': row<{ store: string; holder: string }>({
    message: ({ store, holder }) =>
      `Cannot use store "${store}": another master holds it (${holder}); stop that one first`,
    exit: EXIT.conflict,
    about: 'One store belongs to one master at a time. The one that runs was there first.',
  }),
  'BBX-STO-TAKEN': row<{ store: string; holder: string }>({
    message: ({ store, holder }) =>
      `Cannot go on with store "${store}": another master has taken it (${holder}); this one ends and writes nothing more`,
    exit: EXIT.conflict,
    // Nothing of it is decided by this process any more: what waits is given back, not failed.
    retryable: true,
    about:
      'While this master had lost its connection to PostgreSQL, another one began on the same store. Builds go on at their workers, and belong to the other now.',
  }),
  'BBX-STO-REWOUND': row<{ store: string }>({
    message: ({ store }) =>
      `Cannot go on with store "${store}": it has lost changes that it had confirmed; this master ends, and starts anew with what is there`,
    hint: () =>
      'A standby that took over was behind: synchronous replication prevents that; settings such as fsync=off lose changes too',
    exit: EXIT.conflict,
    retryable: true,
    about:
      'After a failover or a restore, the database is older than what this master had been told is stored. It gets a new epoch, so that nothing of the lost time is mixed in.',
  }),
  'BBX-STO-UNSURE': row<{ store: string; problem: string }>({
    message: ({ store, problem }) =>
      `Cannot say whether store "${store}" has the change: ${problem} while it was confirmed; look before trying again`,
    exit: EXIT.unreachable,
    about:
      'The connection to PostgreSQL broke while a change was committed, and did not come back in time to ask.',
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
    hint: () => 'Look at its owner and mode, and at the disk: ls -l, df, dmesg',
    exit: EXIT.conflict,
    retryable: true,
    about:
      'The system could not read or write a file of the store. Nothing that was not written is reported as written.',
  }),
  'BBX-STO-UNFLUSHED': row<{ file: string; problem: string }>({
    message: ({ file, problem }) =>
      `Cannot say what of "${file}" is on the disk: ${problem}; this master ends, and starts anew with what is there`,
    hint: () =>
      'Look at the disk (dmesg, smartctl), then start the master again; bbx db check reads everything',
    exit: EXIT.infrastructure,
    // Nothing is decided by this process any more: what waits is given back, not failed.
    retryable: true,
    about:
      'The system could not flush what was written, and may have dropped it. Nothing of it was confirmed to anybody. Builds go on at their workers; a service starts the master again.',
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
    hint: () => 'What is stored is kept, and its row says what is wrong: bbx build log BUILD --verify',
    exit: EXIT.conflict,
    about: 'A log was to be finished before all of it was stored, or with fewer bytes than are stored.',
  }),
  'BBX-STO-LOG-HASH': row<{ logid: number; found: string; expected: string }>({
    message: ({ logid, found, expected }) =>
      `Cannot finish log ${logid}: the stored bytes have SHA-256 ${found}, the sender’s had ${expected}`,
    hint: () =>
      'What is stored is kept, and its row says what is wrong: bbx build log BUILD --verify. Look at memory and disk of both hosts: dmesg',
    exit: EXIT.conflict,
    about:
      'The bytes of a log are not those that the sender wrote, although their checksums on this disk hold.',
  }),
  'BBX-STO-LOG-DAMAGED': row<{ file: string; problem: string }>({
    message: ({ file, problem }) => `Cannot read log file "${file}": ${problem}`,
    hint: () =>
      'See what else is damaged: bbx db check. A backup may have it whole: bbx restore FILE DIR, in a new directory',
    exit: EXIT.conflict,
    about: 'A log file is damaged so far that nothing of it can be read; other logs are not concerned.',
  }),
});
