import { sentences } from '../../base/error.ts';
import { leaseKey } from '../../protocol/bbx/lease.ts';
import type { Lease } from '../../protocol/bbx/lease.ts';
import { LIMITS } from '../../protocol/bbx/limits.ts';
import type { MasterMessage, MessageOf } from '../../protocol/bbx/messages.ts';
import { CLOSE } from '../../protocol/bbx/wire.ts';
import type { WorkerSession } from '../../protocol/bbx/worker-session.ts';
import type { Stored } from './job.ts';
import { newStream, stopReading, takeUp, type Stream, type Work } from './link-work.ts';
import type { SpoolBuild } from './spool-build.ts';
import type { SpoolLog } from './spool-log.ts';

/** Sends what is in the spool over one session, from where the master has it. */
export interface Sender {
  add(build: SpoolBuild, stored: Stored): void;
  has(lease: Lease): boolean;
  remove(lease: Lease): void;
  acknowledged(message: MessageOf<MasterMessage, 'ack'>): void;
  /** Lets one log rest, and says so; the others go on. */
  pause(message: MessageOf<MasterMessage, 'pause'>): void;
  /** Sends a log that rests on, from the byte that the master names: what it has not kept is still here. */
  proceed(message: MessageOf<MasterMessage, 'proceed'>): void;
  stop(): Promise<void>;
}

export interface SenderOptions {
  session: WorkerSession;
  /** The rest of a build cannot be read. */
  onUnfit(build: SpoolBuild, why: string): void;
  /** The master has stored the build to its end. */
  onDelivered(build: SpoolBuild): void;
}

/**
 * One loop for a whole session: events first (they are small), then one frame of each log in turn, so that no long log holds another
 * up. A step's end is sent after the last byte of its logs, a step's first byte after its beginning. Nothing is produced while the socket
 * holds too much, or a stream is out of credit: then the spool grows, and nothing else.
 */
export function startSender({ session, onUnfit, onDelivered }: SenderOptions): Sender {
  const works = new Map<string, Work>();
  const byId = new Map<number, Stream>();
  let turn: Stream[] = [];
  let nextId = 1;
  let stopped = false;
  let wake: (() => void) | undefined;
  let dirty = false;
  const nudge = () => {
    dirty = true;
    wake?.();
  };

  const readyToSend = ({ work, log, sent, stored, paused }: Stream) =>
    !paused &&
    works.get(leaseKey(work.build.lease)) === work &&
    sent < log.size &&
    sent < stored + LIMITS.creditBytes &&
    work.begun.has(log.step);

  /** Events that may go now. Gives whether any went. */
  function sendEvents(work: Work): boolean {
    let any = false;
    while (work.sent < work.build.sequence && work.sent < work.stored + LIMITS.creditEvents) {
      const sequence = work.sent + 1;
      const event = work.build.event(sequence);
      if (event.type === 'stepFinished' && !logsAreSent(work, event.step, event.logs)) break;
      const { build, token } = work.build.lease;
      const message = { type: 'progress', build, token, sequence, event } as const;
      const bytes =
        work.waiting?.sequence === sequence ? work.waiting.bytes : Buffer.byteLength(JSON.stringify(message));
      work.waiting = { sequence, bytes };
      const before = work.onTheWay.reduce((sum, each) => sum + each, 0);
      if (before > 0 && before + bytes > LIMITS.creditEventBytes) break;
      session.send(message);
      work.onTheWay.push(bytes);
      work.sent = sequence;
      if (event.type === 'stepStarted') work.begun.add(event.step);
      any = true;
      if (session.unsent >= LIMITS.unsentBytes) break;
    }
    return any;
  }

  function logsAreSent(work: Work, step: number, logs: readonly { name: string; bytes: number }[]): boolean {
    return logs.every(({ name, bytes }) => {
      const log = work.build.logs.find((one) => one.step === step && one.name === name);
      return bytes === 0 || (log !== undefined && streamOf(work, log).sent >= bytes);
    });
  }

  function streamOf(work: Work, log: SpoolLog): Stream {
    let stream = work.streams.get(log.id);
    if (stream === undefined) {
      stream = newStream(work, log, 0);
      work.streams.set(log.id, stream);
      turn.push(stream);
    }
    return stream;
  }

  async function sendFrame(stream: Stream): Promise<void> {
    const { log, work } = stream;
    const pieces = (stream.pieces ??= log.read(stream.sent));
    const next = await pieces.next();
    // A pause came meanwhile: what was read may not be what is sent next.
    if (stream.pieces !== pieces) return;
    if (next.done === true) {
      stream.pieces = undefined;
      return;
    }
    const { channel, at, offset, payload: whole } = next.value;
    if (!readyToSend(stream) || session.ended) return;
    // Never beyond the credit: the rest of the piece waits for an acknowledgement.
    const room = stream.stored + LIMITS.creditBytes - offset;
    const payload = whole.subarray(0, room);
    // Nothing is waited for from here on: a pause that came meanwhile would be answered before this frame.
    if (payload.length < whole.length) stopReading(stream);
    if (stream.id === undefined) {
      stream.id = nextId;
      nextId += 1;
      byId.set(stream.id, stream);
      const { build, token } = work.build.lease;
      session.send({ type: 'open', build, token, stream: stream.id, step: log.step, log: log.name, offset });
    }
    session.sendLog({ stream: stream.id, channel, at, offset, payload });
    stream.sent = offset + payload.length;
  }

  async function round(): Promise<boolean> {
    let any = false;
    for (const work of works.values()) {
      for (const log of work.build.logs) if (log.size > 0) streamOf(work, log);
      try {
        if (sendEvents(work)) any = true;
      } catch (error) {
        giveUp(work, error);
      }
    }
    for (const stream of [...turn]) {
      if (stopped || session.ended) return false;
      if (!readyToSend(stream)) continue;
      any = true;
      try {
        await sendFrame(stream);
      } catch (error) {
        giveUp(stream.work, error);
      }
      await session.drained();
    }
    return any;
  }

  async function loop(): Promise<void> {
    while (!stopped && !session.ended) {
      dirty = false;
      await session.drained();
      if (await round()) continue;
      if (stopped || session.ended || dirty) continue;
      await new Promise<void>((resolve) => (wake = resolve));
      wake = undefined;
    }
  }

  /** One build that cannot be sent does not hold up the others, nor end the session. */
  function giveUp(work: Work, error: unknown): void {
    forget(work);
    onUnfit(work.build, sentences(error).join(': ').slice(0, 1_000));
  }

  function forget(work: Work): void {
    works.delete(leaseKey(work.build.lease));
    work.build.watch(undefined);
    for (const stream of work.streams.values()) closeStream(stream);
    turn = turn.filter((stream) => stream.work !== work);
  }

  function closeStream(stream: Stream): void {
    if (stream.id !== undefined) byId.delete(stream.id);
    stopReading(stream);
  }

  /** Of a master's message about one stream; undefined when that is no more. */
  function streamOfMessage(message: { build: number; token: string; stream: number }): Stream | undefined {
    const stream = byId.get(message.stream);
    return stream?.work === works.get(leaseKey(message)) ? stream : undefined;
  }

  /** A stored end of a step closes its streams: nothing more comes, and the list of turns stays short. */
  function closeStep(work: Work, step: number): void {
    for (const stream of work.streams.values()) if (stream.log.step === step) closeStream(stream);
    turn = turn.filter((stream) => stream.work !== work || stream.log.step !== step);
  }

  const running = loop();
  void session.end.then(nudge);

  return {
    add(build, stored) {
      const key = leaseKey(build.lease);
      const old = works.get(key);
      if (old !== undefined) forget(old);
      const taken = takeUp(build, stored);
      if ('unfit' in taken) return onUnfit(build, taken.unfit);
      const { work, open } = taken;
      turn.push(...open);
      works.set(key, work);
      build.watch(nudge);
      // The acknowledgement may have been lost with the link, and a log that is held up gets no other.
      const known = [...work.streams.values()].map(({ log, stored: bytes }) => ({ id: log.id, bytes }));
      free(work, work.stored, known);
      settle(work, stored.sequence);
      nudge();
    },
    has: (lease) => works.has(leaseKey(lease)),
    remove(lease) {
      const work = works.get(leaseKey(lease));
      if (work !== undefined) forget(work);
    },
    acknowledged(message) {
      const work = works.get(leaseKey(message));
      if (work === undefined) return;
      const logs: { id: number; bytes: number }[] = [];
      for (const { stream: id, offset } of message.streams) {
        const stream = byId.get(id);
        if (stream === undefined || stream.work !== work) continue;
        stream.stored = Math.max(stream.stored, Math.min(offset, stream.sent));
        logs.push({ id: stream.log.id, bytes: stream.stored });
      }
      const before = work.stored;
      work.stored = Math.max(before, Math.min(message.sequence, work.sent));
      work.onTheWay.splice(0, work.stored - before);
      for (let number = before + 1; number <= work.stored; number += 1) {
        const event = work.build.event(number);
        if (event.type === 'stepFinished') closeStep(work, event.step);
      }
      // With its end stored the whole build goes.
      if (!isDelivered(work, work.stored) && (work.stored > before || logs.length > 0))
        free(work, work.stored, logs);
      settle(work, work.stored);
      nudge();
    },
    pause(message) {
      const stream = streamOfMessage(message);
      if (stream === undefined || stream.paused) return;
      stream.paused = true;
      stopReading(stream);
      const { build, token } = message;
      session.send({ type: 'paused', build, token, stream: message.stream });
    },
    proceed(message) {
      const stream = streamOfMessage(message);
      if (stream === undefined) return;
      const { offset } = message;
      if (!stream.paused || offset < stream.stored || offset > stream.sent) {
        session.close(CLOSE.malformed, `"proceed" from byte ${offset} of stream ${message.stream}`);
        return;
      }
      stream.paused = false;
      stream.sent = offset;
      nudge();
    },
    async stop() {
      stopped = true;
      nudge();
      for (const work of [...works.values()]) forget(work);
      await running;
    },
  };

  function free(work: Work, sequence: number, logs: readonly { id: number; bytes: number }[]): void {
    // What cannot be freed now is freed with the whole build.
    work.build.acknowledge({ sequence, logs }).catch(() => undefined);
  }

  function isDelivered({ build }: Work, sequence: number): boolean {
    return build.finished && sequence >= build.sequence;
  }

  function settle(work: Work, sequence: number): void {
    if (!isDelivered(work, sequence)) return;
    forget(work);
    onDelivered(work.build);
  }
}
