import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';

/** Trouble on the way to a master, and with what it answers. */
export const codes = defineCodes({
  'BBX-API-UNREACHABLE': row<{ socket: string; dir: string }>({
    message: ({ dir }) => `Cannot reach the master of "${dir}": nobody listens on its control socket`,
    hint: ({ dir }) => `Start it: bbx run master ${quote(dir)}`,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'No master runs in the directory, or it has just stopped: the control socket in it is missing or refuses connections. Start the ' +
      'master with `bbx run master DIR`; `bbx status --wait 60s` waits until it answers.',
  }),
  'BBX-API-SILENT': row<{ what: string; dir: string; limit: string }>({
    message: ({ what, dir, limit }) =>
      `Cannot ask the master of "${dir}" for ${what}: no answer within ${limit}`,
    hint: ({ dir }) =>
      `It may wait for its store, be under heavy load or be stopped by a debugger. What was asked may be done yet. Look: bbx status --dir ${quote(dir)}`,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'The master took the connection but did not answer within the time limit of a call. It may still do what was asked: look before asking again. ' +
      '`bbx status` and its log say what it waits for; where it does not answer that either, its process is stopped or has no processor time.',
  }),
  'BBX-API-DENIED': row<{ socket: string }>({
    message: ({ socket }) => `Cannot open the control socket "${socket}": permission denied`,
    hint: () => 'Only the user who runs the master may use its control socket: run the command as that user',
    exit: EXIT.forbidden,
    about:
      'The control socket has mode 0600: whoever may open it may do everything with the farm, so only the user of the master (and root) can.',
  }),
  'BBX-API-CONNECTION': row<{ what: string; dir: string }>({
    message: ({ what, dir }) => `Cannot read ${what} from the master of "${dir}": the connection broke`,
    hint: () =>
      'If the master was stopped, its builds go on at the workers: start it again and repeat the command',
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'The connection to the master ended in the middle of an answer, usually because the master was stopped.',
  }),
  'BBX-API-ANSWER': row<{ what: string; problem: string }>({
    message: ({ what, problem }) => `Cannot read the master's answer for ${what}: ${problem}`,
    hint: () =>
      'The master may be of another version: compare `bbx --version` with the version in `bbx status`',
    exit: EXIT.fault,
    about:
      'The master answered with something that is not what this version of bbx knows as an answer to that call.',
  }),
  'BBX-API-NO-DIRECTORY': row<{ role: string; looked: readonly string[]; named: boolean }>({
    message: ({ role, looked }) =>
      `Cannot find ${role === 'either' ? "a master's or a worker's" : `a ${role}'s`} directory: ` +
      `none of ${looked.map((path) => `"${path}"`).join(', ')} holds one`,
    hint: ({ role, named }) => {
      const flags = role === 'either' ? '--dir DIR' : `bbx run ${role} DIR, others: --dir DIR`;
      const [master, worker] = ['bbx create-master', 'bbx create-worker --master HOST'];
      const maker = role === 'either' ? `${master}, or ${worker}` : role === 'worker' ? worker : master;
      return `${named ? 'Name another one' : `Go to it, or name it (${flags})`}, or make one: ${maker}`;
    },
    exit: EXIT.notFound,
    about:
      'The command works in a directory of that role: the one named with `--dir`, else the current one and those above it, then `./master` and ' +
      '`./worker`. None of these has the files of that role.',
  }),
});

function quote(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
