import { decodeLogFrame } from '../../../src/protocol/bbx/codec.ts';
import { workerMessage, type WorkerMessage } from '../../../src/protocol/bbx/messages.ts';
import type { Part } from './mutate.ts';

/** Looks at what a worker says, and at what it was told: its messages have the right form, its streams are its own and go on where they were. */
export interface WorkerJudge {
  told(parts: readonly Part[]): void;
  /** Undefined when it cannot be. */
  text(text: string): WorkerMessage | undefined;
  binary(bytes: Uint8Array): void;
}

export function judgeWorker(wrong: (what: string) => void): WorkerJudge {
  /** Stream → where its next byte stands. */
  const streams = new Map<number, number>();
  const resting = new Set<number>();
  let maySend = 1;
  let proceeds = false;
  return {
    told(parts) {
      for (const part of parts) {
        if (!('text' in part)) continue;
        if (part.text.includes('historyStored')) maySend += 1;
        if (part.text.includes('proceed')) proceeds = true;
      }
    },
    text(text) {
      const parsed = workerMessage.safeParse(JSON.parse(text));
      if (!parsed.success) {
        wrong(`the worker says what cannot be: ${text.slice(0, 300)}`);
        return undefined;
      }
      const message = parsed.data;
      if (message.type === 'open') {
        if (streams.has(message.stream)) wrong(`stream ${message.stream} is opened twice`);
        streams.set(message.stream, message.offset);
      }
      if (message.type === 'paused') {
        if (!streams.has(message.stream)) wrong(`stream ${message.stream} rests and was never opened`);
        resting.add(message.stream);
      }
      if (message.type === 'history') {
        maySend -= 1;
        if (maySend < 0) wrong('history comes without an answer to the one before');
      }
      return message;
    },
    binary(bytes) {
      const frame = decodeLogFrame(bytes);
      if (typeof frame === 'string') return wrong(`the worker sends ${frame}`);
      const { stream, offset, payload } = frame;
      const next = streams.get(stream);
      if (next === undefined) return wrong(`bytes of stream ${stream}, which is not open`);
      if (offset > next || (offset < next && !proceeds))
        wrong(`bytes of stream ${stream} at ${offset} after ${next}`);
      if (resting.has(stream) && !proceeds) wrong(`bytes of stream ${stream}, which rests`);
      streams.set(stream, offset + payload.length);
      return undefined;
    },
  };
}
