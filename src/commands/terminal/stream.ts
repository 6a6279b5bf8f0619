import { errnoOf } from '../../base/error.ts';
import { EXIT } from '../../base/exit.ts';
import { codes } from './codes.ts';
import type { Context } from './context.ts';
import { Outcome, report } from './exit.ts';

/**
 * Writes to stdout and waits while it is full, so that a slow reader holds the sender up. A reader that has gone (`| head`) ends the command
 * quietly, as its own choice; any other trouble is BBX-OUTPUT, printed by `watchOutput`.
 */
export async function writeOut(context: Context, bytes: Uint8Array | string): Promise<void> {
  const { stdout, signal } = context;
  signal.throwIfAborted();
  const failed = await new Promise<Error | null | undefined>((resolve) => {
    const onAbort = () => resolve(null);
    signal.addEventListener('abort', onAbort, { once: true });
    stdout.write(bytes, (error) => {
      signal.removeEventListener('abort', onAbort);
      resolve(error);
    });
  });
  signal.throwIfAborted();
  if (failed === undefined || failed === null) return;
  // `watchOutput` has said what is wrong, or kept quiet.
  throw new Outcome(errnoOf(failed) === 'EPIPE' ? EXIT.ok : EXIT.failed);
}

/**
 * A stream whose writing fails tells it as an event, too, which ends the process with a stack when nobody listens. A reader that has gone is no
 * trouble; anything else (a full disk) makes the command fail.
 */
export function watchOutput(context: Context): void {
  context.stdout.on('error', (error: Error) => {
    if (errnoOf(error) === 'EPIPE') return;
    process.exitCode = report(codes['BBX-OUTPUT']({ problem: error.message }), context);
  });
  // Nowhere is left to say it.
  context.stderr.on('error', () => undefined);
}
