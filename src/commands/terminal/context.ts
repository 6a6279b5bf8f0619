import { EXIT } from '../../base/exit.ts';

/**
 * A signal that comes again within this time is the same wish: a terminal, `timeout` and systemd signal a whole process group, and a program
 * that started this one may pass its own copy on.
 */
export const SAME_WISH_MS = 300;

/** What a command is given of the world around it; nothing below `commands/` reads `process` for these. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** `--json`: stdout is JSON and nothing else. */
  readonly json: boolean;
  /** A person sits at both ends, so questions may be asked. */
  readonly interactive: boolean;
  /** Colour and symbols beyond ASCII are welcome on stdout. */
  readonly color: boolean;
  /** Aborted by the first Ctrl-C. Long-living programs (`run`) take the signals over themselves. */
  readonly signal: AbortSignal;
  /** Stops turning SIGINT into an abort; for programs with an orderly end of their own. */
  releaseSignals(): void;
}

/** The real world, with the flags that concern every command read from `argv` before any of them is parsed. */
export function createContext(argv: readonly string[]): Context {
  const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const interrupted = new AbortController();
  let firstAt: number | undefined;
  // A copy of the same Ctrl-C must not end the process before it has said what goes on; a second one ends it at once.
  const onSignal = () => {
    firstAt ??= performance.now();
    if (interrupted.signal.aborted && performance.now() - firstAt > SAME_WISH_MS)
      process.exit(EXIT.interrupted);
    interrupted.abort(new Interrupted());
  };
  process.on('SIGINT', onSignal);
  const terminal = process.stdout.isTTY && process.stderr.isTTY && process.stdin.isTTY;
  return {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    json: words.includes('--json') || process.env['BBX_JSON'] !== undefined,
    interactive: terminal && !words.includes('--no-input') && process.env['BBX_NO_INPUT'] === undefined,
    color: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb',
    signal: interrupted.signal,
    releaseSignals: () => process.removeListener('SIGINT', onSignal),
  };
}

/** Ctrl-C, as the reason of an aborted signal. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('interrupted');
  }
}
