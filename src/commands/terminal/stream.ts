import { errnoOf } from '../../base/error.ts';
import { EXIT } from '../../base/exit.ts';
import { Outcome } from './exit.ts';
import type { Context } from './context.ts';

/**
 * Writes to stdout and waits while it is full, so that a slow reader holds the sender up. A reader that has gone (`| head`) ends the command
 * quietly, as its own choice.
 */
export async function writeOut(context: Context, bytes: Uint8Array | string): Promise<void> {
  const { stdout, signal } = context;
  signal.throwIfAborted();
  const failed = await new Promise<Error | null | undefined>((resolve) => {
    const onError = (error: Error) => resolve(error);
    const onAbort = () => resolve(null);
    stdout.once('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
    stdout.write(bytes, (error) => {
      stdout.removeListener('error', onError);
      signal.removeEventListener('abort', onAbort);
      resolve(error);
    });
  });
  signal.throwIfAborted();
  if (failed === undefined || failed === null) return;
  if (errnoOf(failed) !== 'EPIPE') throw failed;
  // The error comes again as an event of the stream.
  stdout.on('error', () => undefined);
  throw new Outcome(EXIT.ok);
}
