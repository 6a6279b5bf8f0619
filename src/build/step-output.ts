import type { Channel, OnOutput } from './command-port.ts';
import type { LogWriter } from './journal.ts';
import { limitLog } from './log-limit.ts';
import type { Mask } from './mask.ts';
import type { LogMax } from './plan.ts';

/** What a step's command says, on its way into the log: masked, in order, no more at a time than the log takes. */
export interface StepOutput {
  onOutput: OnOutput;
  /** Words of ours, a whole line or several. */
  header(text: string): Promise<void>;
  /** The command says no more: writes what was still held back; rejects when any write before could not be done. */
  settle(): Promise<void>;
  /** Bytes that the log's limit has left out. */
  readonly cut: number;
}

/** The output of a step: masked, and written to its log in order, as much of it as may be kept. */
export function createStepOutput(given: LogWriter, mask: Mask, max: LogMax | null = null): StepOutput {
  const log = limitLog(given, max);
  const maskers = { stdout: mask.stream(), stderr: mask.stream() };
  let failed: { error: unknown } | undefined;

  const write = (channel: Channel, bytes: Uint8Array): void | Promise<void> => {
    if (bytes.length === 0) return undefined;
    try {
      const written = log.write(channel, bytes);
      if (written === undefined) return undefined;
      return written.catch((error: unknown) => {
        failed ??= { error };
        throw error;
      });
    } catch (error) {
      failed ??= { error };
      throw error;
    }
  };

  return {
    onOutput(channel, bytes) {
      // A header is made whole by the port, so nothing of it can be the beginning of something longer.
      if (channel === 'header') return write(channel, Buffer.from(mask.text(Buffer.from(bytes).toString())));
      return write(channel, maskers[channel].push(bytes));
    },
    async header(text) {
      await write('header', Buffer.from(mask.text(text)));
    },
    async settle() {
      if (failed !== undefined) throw failed.error;
      await write('stdout', maskers.stdout.flush());
      await write('stderr', maskers.stderr.flush());
      await log.end();
    },
    get cut() {
      return log.cut;
    },
  };
}
