import { CommanderError } from 'commander';
import { BbxError, sentences } from '../../base/error.ts';
import { EXIT, type ExitCode } from '../../base/exit.ts';
import { fileTrouble } from '../../base/file-trouble.ts';
import { wrap } from '../../base/lines.ts';
import { UsageError } from './usage-error.ts';
import { Interrupted, type Context } from './context.ts';

/** A command's own verdict that is no error to be printed: a red build, a finding. Thrown after the answer was printed. */
export class Outcome extends Error {
  override readonly name = 'Outcome';
  readonly exit: ExitCode;

  constructor(exit: ExitCode) {
    super(`exit ${exit}`);
    this.exit = exit;
  }
}

/** Prints an error to stderr, as words or as JSON, and gives the exit code it stands for. */
export function report(thrown: unknown, context: Context): number {
  // A file that this user may not touch, or that is gone, is no fault of bbx, wherever it was met.
  const error = fileTrouble(thrown) ?? thrown;
  if (error instanceof Outcome) return error.exit;
  if (error instanceof Interrupted || context.signal.aborted) return EXIT.interrupted;
  if (error instanceof CommanderError) return reportUsage(error, context);
  if (error instanceof BbxError) {
    const why = reasons(error).map((reason) => `\n     because: ${reason}`);
    write(context, error.toJSON(), [error.message, ...why].join(''), error.hint);
    return error.exit;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  write(
    context,
    { code: 'BBX-FAULT', message: sentences(error).join(': '), retryable: false },
    `This is a fault of bbx, not of yours:\n${stack}`,
    'Please report it with the lines above and the command you ran: https://github.com/bbx-farm/bbx/issues',
  );
  return EXIT.fault;
}

function reportUsage(error: CommanderError, context: Context): number {
  // Commander has printed help and versions itself; they end in 0.
  if (error.exitCode === 0) return EXIT.ok;
  // A group without a command: commander has printed the group's help to stderr, which is the answer for people.
  if (error.code === 'commander.help' && !context.json) return EXIT.usage;
  const message = (error.code === 'commander.help' ? 'a command is missing' : error.message)
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?');
  write(
    context,
    { code: 'BBX-USAGE', message, retryable: false },
    message,
    `See: ${error instanceof UsageError ? error.words : 'bbx'} --help`,
  );
  return EXIT.usage;
}

/** Sentences of the causes that the message does not already hold. */
function reasons(error: BbxError): string[] {
  // The system's own sentence is what the message says, with its call and path.
  if (error.code.startsWith('BBX-FILE-')) return [];
  return sentences(error.cause ?? error.message).filter((sentence) => !error.message.includes(sentence));
}

function write(
  context: Context,
  json: { code: string; message: string; retryable: boolean },
  message: string,
  hint: string | undefined,
): void {
  if (context.json) {
    const error = {
      code: json.code,
      message: json.message,
      ...(hint === undefined ? {} : { hint }),
      retryable: json.retryable,
    };
    context.stderr.write(`${JSON.stringify({ error })}\n`);
    return;
  }
  context.stderr.write(
    `${folded(`bbx: ${message}`, context)}\n${hint === undefined ? '' : `     ${hint.replaceAll('\n', '\n     ')}\n`}`,
  );
}

const INDENT = '     ';

/** Sentences broken between words at a terminal; lines of a file with their marks, and of a stack, stay as they are. Hints are commands. */
function folded(text: string, { stderr }: Context): string {
  const room = stderr.isTTY && stderr.columns > 0 ? stderr.columns : Infinity;
  return text
    .split('\n')
    .flatMap((line) => {
      const [before = ''] = /^ */.exec(line) ?? [];
      if (line.length <= room || /^ *(?:\d+ )?(?:\||at )/.test(line)) return [line];
      const under = before === '' ? INDENT : before;
      const lines = wrap(line.trimStart(), room - under.length);
      return lines.map((one, index) => (index === 0 ? before : under) + one);
    })
    .join('\n');
}
