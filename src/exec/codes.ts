import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';

/** Trouble with other programs, directories and users of this machine. */
export const codes = defineCodes({
  'BBX-EXE-LOCKED': row<{ path: string; pid: number | undefined }>({
    message: ({ path, pid }) =>
      `Cannot use directory "${path}": another bbx process${pid === undefined ? '' : ` (${pid})`} works in it; stop that one first`,
    exit: EXIT.conflict,
    retryable: true,
    about:
      'One process works in a directory at a time. The lock is freed by the system when its process ends, however it ends.',
  }),
  'BBX-EXE-GONE': row<{ path: string }>({
    message: ({ path }) =>
      `Cannot go on in directory "${path}": it, or its lock file, was deleted or replaced while this process worked in it`,
    hint: () => 'Stop what works in a directory before you move, delete or restore it',
    exit: EXIT.notFound,
    about:
      'A master, a worker or a keeper of commands whose directory is gone ends within seconds of noticing it: what it wrote would be seen by nobody.',
  }),
  'BBX-EXE-GIT': row<{ action: string; url: string; reason: string; hint?: string | undefined }>({
    message: ({ action, url, reason }) => `Cannot ${action} "${url}": ${reason}`,
    hint: ({ hint }) => hint,
    exit: EXIT.failed,
    retryable: true,
    about:
      'git itself failed; the reason is the last line that it wrote. `git ls-remote URL` on the same host shows all of them.',
  }),
  'BBX-EXE-GIT-TIME': row<{ action: string; url: string; limit: string }>({
    message: ({ action, url, limit }) =>
      `Cannot ${action} "${url}": git gave no end within ${limit} and was ended`,
    exit: EXIT.timeLimit,
    retryable: true,
    about: "git took longer than its limit, mostly because the repository's host does not answer.",
  }),
  'BBX-EXE-GIT-VALUE': row<{ what: string; value: string; problem: string }>({
    message: ({ what, value, problem }) => `Cannot use ${what} "${value}": ${problem}`,
    exit: EXIT.usage,
    about:
      'A repository, branch or revision that git would take for an option or a transport that bbx does not allow.',
  }),
  'BBX-EXE-MISSING': row<{ program: string }>({
    message: ({ program }) => `Cannot run "${program}": it is not installed, or not in PATH`,
    exit: EXIT.failed,
    about: 'A program that bbx needs is not on this machine.',
  }),
  'BBX-EXE-USER': row<{ user: string; problem: string }>({
    message: ({ user, problem }) => `Cannot run builds as "${user}": ${problem}`,
    exit: EXIT.configInvalid,
    about:
      '`runAs` needs a worker that runs as root and a user that this machine knows and that is not root.',
  }),
  'BBX-EXE-WORKDIR': row<{ workdir: string; problem: string }>({
    message: ({ workdir, problem }) =>
      `Cannot use workdir "${workdir}": ${problem}; give a path below the build's directory`,
    exit: EXIT.configInvalid,
    about:
      'A step works inside its build\'s directory only: no absolute path, no "..", no symbolic link that leads out.',
  }),
});
