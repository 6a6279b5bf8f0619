import { createHash } from 'node:crypto';
import type { Channel } from '../../src/build/command-port.ts';
import type { Journal } from '../../src/build/journal.ts';
import type { ProgressEvent } from '../../src/build/progress.ts';

/** A journal that keeps everything in memory, and the order in which it came as short words. */
export function memoryJournal(): Journal & {
  readonly events: ProgressEvent[];
  readonly order: string[];
  /** Text of one step's log; of one channel where one is named. */
  text(step: number, channel?: Channel): string;
} {
  const events: ProgressEvent[] = [];
  const order: string[] = [];
  const written: { step: number; channel: Channel; bytes: Buffer }[] = [];
  const of = (step: number, channel?: Channel) =>
    Buffer.concat(
      written
        .filter((piece) => piece.step === step && (channel === undefined || piece.channel === channel))
        .map((piece) => piece.bytes),
    );
  return {
    events,
    order,
    event(event) {
      events.push(event);
      order.push('step' in event ? `${event.type} ${event.step}` : event.type);
    },
    log(step, name) {
      order.push(`log ${step} ${name}`);
      return {
        write(channel, bytes) {
          written.push({ step, channel, bytes: Buffer.from(bytes) });
        },
        async finish() {
          order.push(`finished ${step} ${name}`);
          const all = of(step);
          return { bytes: all.length, sha256: createHash('sha256').update(all).digest('hex') };
        },
      };
    },
    text: (step, channel) => of(step, channel).toString(),
  };
}
