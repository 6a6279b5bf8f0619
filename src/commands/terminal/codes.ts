import { defineCodes, row } from '../../base/error.ts';
import { EXIT } from '../../base/exit.ts';

/** Trouble with the command line itself. */
export const codes = defineCodes({
  'BBX-EXISTS': row<{ file: string }>({
    message: ({ file }) => `Cannot write "${file}": it is there already`,
    hint: () => 'Name another file, or remove that one',
    exit: EXIT.conflict,
    about:
      'A file that would hold a new secret exists; it may be the only copy of an old one, so it is not replaced.',
  }),
  'BBX-USAGE': row<{ problem: string; hint?: string }>({
    message: ({ problem }) => problem,
    hint: ({ hint }) => hint ?? 'See: bbx --help, or bbx COMMAND --help',
    exit: EXIT.usage,
    about:
      'The command line has an unknown flag, a bad value, or lacks an answer that no question could ask for.',
  }),
  'BBX-API-NO-BUILD': row<{ request: number; ended?: string | undefined }>({
    message: ({ request, ended }) =>
      `Cannot show a build of request r${request}: ${ended === undefined ? 'none has started yet' : `it ended ${ended} before a build started`}`,
    hint: ({ request, ended }) =>
      ended === undefined
        ? `See why it waits: bbx why r${request}`
        : `Ask for it anew: bbx build retry r${request}`,
    exit: EXIT.notFound,
    about:
      'The request exists, but no worker has taken it: it still waits (`bbx why r17` says for what), or it was cancelled before.',
  }),
  'BBX-API-WHICH-BUILD': row<{ builder: string; running: readonly string[] }>({
    message: ({ builder, running }) =>
      `Cannot cancel the newest build of "${builder}": it ended already, but ${running.join(', ')} ${running.length === 1 ? 'runs' : 'run'}`,
    hint: ({ running }) => `Name it: bbx build cancel ${running[0]}`,
    exit: EXIT.conflict,
    about:
      'A builder stands for its newest build. That one has ended while older ones run, so it must be said which of them is meant.',
  }),
  'BBX-API-NO-STEP': row<{ build: string; step: string; names: readonly string[] }>({
    message: ({ build, step, names }) =>
      `Cannot show step "${step}" of ${build}: it has ${names.length === 0 ? 'no steps yet' : names.join(', ')}`,
    hint: ({ build }) => `See: bbx build show ${build}`,
    exit: EXIT.notFound,
    about: 'A step is named by its number or its name; the build has no such step, or has not come to it.',
  }),
  'BBX-OUTPUT': row<{ problem: string }>({
    message: ({ problem }) => `Cannot write to standard output: ${problem}`,
    exit: EXIT.failed,
    about: 'What a command prints goes to a file on a full disk, or to something else that does not take it.',
  }),
  'BBX-MASTER-KEY': row<{ file: string }>({
    message: ({ file }) => `Cannot read the farm's key "${file}": there is no such file`,
    hint: () => 'Make one: bbx create-master DIR',
    exit: EXIT.notFound,
    about:
      "A join string holds the fingerprint of the farm's key, which `bbx create-master` makes in the master's directory. Without it nobody " +
      'could be invited.',
  }),
  'BBX-WAIT-LIMIT': row<{ what: string; limit: string; hint?: string }>({
    message: ({ what, limit }) => `Waited ${limit} for ${what}`,
    hint: ({ hint }) => hint,
    exit: EXIT.timeLimit,
    retryable: true,
    about: 'A command with `--wait` reached its time limit. What it waited for goes on without it.',
  }),
});
