import type { ProgressEvent } from '../../build/progress.ts';
import type { LogFrame } from './codec.ts';
import { leaseKey, logKey } from './lease.ts';
import type { Lease } from './lease.ts';
import type { Limits } from './limits.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from './messages.ts';

/** How far a log is stored, named as handlers name it. */
export interface StoredLog {
  step: number;
  log: string;
  bytes: number;
}

/** What to do with something that arrived. `again`: it was handed over before, only the acknowledgement is repeated. */
export type Verdict<Fresh> =
  | ({ is: 'fresh' } & Fresh)
  | { is: 'again'; lease: Lease; stream?: number }
  /** Of a lease that is not this session's: the worker is told once, then it is ignored. */
  | { is: 'foreign'; lease: Lease; tell: boolean }
  | { is: 'ignored' }
  | { is: 'malformed'; state: string }
  /** Its stream was to rest. */
  | { is: 'notPausing'; state: string };

interface Log {
  step: number;
  name: string;
  /** Bytes that were handed over, and count. */
  received: number;
  /** Bytes that came: more than `received` where a pause gave some up, which come again. */
  seen: number;
  stored: number;
  stream: number | undefined;
  /** Set from `pause` to `proceed`. */
  pause: { answered: boolean; mayProceed: boolean } | undefined;
}
interface Work {
  lease: Lease;
  sequence: number;
  stored: number;
  /** Bytes of the messages of each event that is not stored, oldest first, and of all of them. */
  unstored: number[];
  unstoredBytes: number;
  logs: Map<string, Log>;
  /** Step index → sequence of its `stepFinished`: when that is stored, so are the step's logs. */
  finished: Map<number, number>;
  lastEvent: number | undefined;
}
type Stream = { work: Work; log: Log };

/**
 * The master's memory of one session: how far each build's events and each log's bytes were handed over, and how far they are stored.
 * Pure: it decides, the session acts. Everything in it is bounded by `Limits`, whatever the peer sends.
 */
export class Intake {
  readonly #limits: Limits;
  readonly #works = new Map<string, Work>();
  readonly #streams = new Map<number, Stream>();
  readonly #told = new Set<string>();
  #streamsEver = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Takes a lease in: from zero, or from what is stored. */
  begin(lease: Lease, stored: { sequence: number; logs: readonly StoredLog[] }): void {
    const known = this.#works.get(leaseKey(lease));
    if (known !== undefined) for (const log of known.logs.values()) this.#closeStream(log);
    this.#told.delete(leaseKey(lease));
    const logs = stored.logs.map(({ step, log, bytes }): [string, Log] => [
      logKey(step, log),
      { step, name: log, received: bytes, seen: bytes, stored: bytes, stream: undefined, pause: undefined },
    ]);
    this.#works.set(leaseKey(lease), {
      lease: { build: lease.build, token: lease.token },
      sequence: stored.sequence,
      stored: stored.sequence,
      unstored: [],
      unstoredBytes: 0,
      logs: new Map(logs),
      finished: new Map(),
      lastEvent: undefined,
    });
  }

  knows(lease: Lease): boolean {
    return this.#works.has(leaseKey(lease));
  }

  forget(lease: Lease): void {
    const key = leaseKey(lease);
    const work = this.#works.get(key);
    if (work !== undefined) for (const log of work.logs.values()) this.#closeStream(log);
    this.#works.delete(key);
    this.#remember(key);
  }

  /** `bytes`: of the message that brought it. */
  event(lease: Lease, sequence: number, event: ProgressEvent, bytes: number): Verdict<{ lease: Lease }> {
    const work = this.#works.get(leaseKey(lease));
    if (work === undefined) return this.#foreign(lease);
    if (sequence <= work.sequence) return { is: 'again', lease: work.lease };
    if (sequence !== work.sequence + 1) {
      return malformed(`event ${sequence} of build ${lease.build} after event ${work.sequence}`);
    }
    if (work.lastEvent !== undefined) return malformed('an event after the end of its build');
    if (sequence > work.stored + this.#limits.creditEvents)
      return malformed('more events than it has credit for');
    if (work.unstoredBytes > 0 && work.unstoredBytes + bytes > this.#limits.creditEventBytes)
      return malformed('more bytes of events than it has credit for');
    if (event.type === 'stepFinished') {
      for (const { name, bytes } of event.logs) {
        const seen = work.logs.get(logKey(event.step, name))?.seen ?? 0;
        if (seen !== bytes) {
          return malformed(`the end of a step whose log "${name}" has ${bytes} bytes, after ${seen} of them`);
        }
      }
      work.finished.set(event.step, sequence);
    }
    if (event.type === 'buildFinished') work.lastEvent = sequence;
    work.sequence = sequence;
    work.unstored.push(bytes);
    work.unstoredBytes += bytes;
    return { is: 'fresh', lease: work.lease };
  }

  open(message: MessageOf<WorkerMessage, 'open'>): Verdict<object> {
    const work = this.#works.get(leaseKey(message));
    if (this.#streams.has(message.stream)) return malformed(`stream ${message.stream} twice`);
    if (work === undefined) return this.#foreign(message);
    if (this.#streams.size >= this.#limits.streams)
      return malformed(`more than ${this.#limits.streams} open streams`);
    if (work.finished.has(message.step)) return malformed('a log of a step that has ended');
    const key = logKey(message.step, message.log);
    let log = work.logs.get(key);
    if (log === undefined) {
      if (work.logs.size >= this.#limits.streams)
        return malformed(`more than ${this.#limits.streams} logs of one build`);
      const { step, log: name } = message;
      log = { step, name, received: 0, seen: 0, stored: 0, stream: undefined, pause: undefined };
      work.logs.set(key, log);
    }
    if (log.stream !== undefined) return malformed(`two streams for the log "${message.log}"`);
    if (message.offset > log.received) {
      return malformed(`a log from byte ${message.offset}, after ${log.received} bytes of it`);
    }
    log.stream = message.stream;
    this.#streams.set(message.stream, { work, log });
    this.#streamsEver = Math.max(this.#streamsEver, message.stream + 1);
    return { is: 'fresh' };
  }

  bytes(
    frame: LogFrame,
  ): Verdict<{ lease: Lease; step: number; log: string; offset: number; bytes: Uint8Array }> {
    const stream = this.#streams.get(frame.stream);
    // Streams of a lease that was taken away may still have frames on the way.
    if (stream === undefined) {
      return frame.stream < this.#streamsEver || this.#told.size > 0
        ? { is: 'ignored' }
        : malformed(`a frame for stream ${frame.stream}, which is not open`);
    }
    const { work, log } = stream;
    const { pause } = log;
    if (pause?.answered) return notPausing(`bytes of the log "${log.name}" after it had said that it rests`);
    const before = pause === undefined ? log.received : log.seen;
    if (frame.offset > before) {
      return malformed(`bytes from ${frame.offset} of the log "${log.name}", after ${before}: a hole`);
    }
    const end = frame.offset + frame.payload.length;
    if (end <= before && pause === undefined) return { is: 'again', lease: work.lease, stream: frame.stream };
    if (work.finished.has(log.step) && end > log.seen)
      return malformed('more bytes of a step that has ended');
    if (end > log.stored + this.#limits.creditBytes) {
      if (pause === undefined) return malformed('more bytes than it has credit for');
      return notPausing(`all its credit of the log "${log.name}", which is to rest`);
    }
    log.seen = Math.max(log.seen, end);
    // On the way when the pause was said: it comes again.
    if (pause !== undefined) return { is: 'ignored' };
    const offset = log.received;
    log.received = end;
    const bytes = frame.payload.subarray(offset - frame.offset);
    return { is: 'fresh', lease: work.lease, step: log.step, log: log.name, offset, bytes };
  }

  /**
   * Takes back what came of a log from byte `from` on, and lets its stream rest. Gives what the worker is to be told; undefined when it knows already,
   * or has no stream for it.
   */
  pause(lease: Lease, { step, log: name, from }: { step: number; log: string; from: number }) {
    const work = this.#works.get(leaseKey(lease));
    const log = work?.logs.get(logKey(step, name));
    if (work === undefined || log?.stream === undefined) return undefined;
    log.received = Math.max(log.stored, Math.min(log.received, from));
    if (log.pause !== undefined) {
      log.pause.mayProceed = false;
      return undefined;
    }
    log.pause = { answered: false, mayProceed: false };
    return { type: 'pause', ...work.lease, stream: log.stream } as const;
  }

  /** The worker's word that a stream rests; with what it is to be told when it need not any more. */
  paused(message: MessageOf<WorkerMessage, 'paused'>): Verdict<{ proceed: Proceed | undefined }> {
    const stream = this.#streams.get(message.stream);
    if (stream === undefined || leaseKey(stream.work.lease) !== leaseKey(message)) {
      // Of a lease that was taken away meanwhile.
      return stream === undefined && (message.stream < this.#streamsEver || this.#told.size > 0)
        ? { is: 'ignored' }
        : malformed(`a pause of stream ${message.stream}, which is not open`);
    }
    const { pause } = stream.log;
    if (pause === undefined || pause.answered)
      return malformed(`a pause of stream ${message.stream}, which was not asked for`);
    pause.answered = true;
    return { is: 'fresh', proceed: pause.mayProceed ? proceedOf(stream) : undefined };
  }

  /** Lets a log that rests go on: gives what the worker is to be told, now or with its `paused`. */
  proceed(lease: Lease, { step, log: name }: { step: number; log: string }): Proceed | undefined {
    const work = this.#works.get(leaseKey(lease));
    const log = work?.logs.get(logKey(step, name));
    if (work === undefined || log?.pause === undefined) return undefined;
    log.pause.mayProceed = true;
    return log.pause.answered ? proceedOf({ work, log }) : undefined;
  }

  /** Whether the worker still owes a `paused` for this stream. */
  owesPause(stream: number): boolean {
    return this.#streams.get(stream)?.log.pause?.answered === false;
  }

  /** Notes what is stored now and gives the acknowledgement for it; undefined when there is nobody to tell. */
  stored(lease: Lease, now: { sequence?: number; logs?: readonly StoredLog[] }): Acknowledgement | undefined {
    const work = this.#works.get(leaseKey(lease));
    if (work === undefined) return undefined;
    work.stored = Math.min(work.sequence, Math.max(work.stored, now.sequence ?? 0));
    const stored = work.unstored.splice(0, work.unstored.length - (work.sequence - work.stored));
    for (const bytes of stored) work.unstoredBytes -= bytes;
    const offsets: { stream: number; offset: number }[] = [];
    for (const { step, log: name, bytes } of now.logs ?? []) {
      const log = work.logs.get(logKey(step, name));
      if (log === undefined) continue;
      log.stored = Math.min(log.received, Math.max(log.stored, bytes));
      if (log.stream !== undefined) offsets.push({ stream: log.stream, offset: log.stored });
    }
    for (const [step, sequence] of work.finished) if (sequence <= work.stored) this.#forgetStep(work, step);
    if (work.lastEvent !== undefined && work.lastEvent <= work.stored) this.forget(lease);
    return { type: 'ack', ...work.lease, sequence: work.stored, streams: offsets };
  }

  /** The acknowledgement for something that came again. */
  repeat(lease: Lease, stream?: number): Acknowledgement | undefined {
    const work = this.#works.get(leaseKey(lease));
    if (work === undefined) return undefined;
    const log = stream === undefined ? undefined : this.#streams.get(stream)?.log;
    const offsets = stream === undefined || log === undefined ? [] : [{ stream, offset: log.stored }];
    return { type: 'ack', ...work.lease, sequence: work.stored, streams: offsets };
  }

  /** For tests: nothing may grow beyond the limits. */
  get size() {
    return { works: this.#works.size, streams: this.#streams.size, told: this.#told.size };
  }

  /** Oldest out first: forgetting one too early costs a second `drop`, nothing else. */
  #remember(key: string): void {
    const told = this.#told;
    for (const oldest of told) {
      if (told.size < this.#limits.builds) break;
      told.delete(oldest);
    }
    told.add(key);
  }

  #foreign(lease: Lease) {
    const key = leaseKey(lease);
    const tell = !this.#told.has(key);
    if (tell) this.#remember(key);
    return { is: 'foreign', lease: { build: lease.build, token: lease.token }, tell } as const;
  }

  #closeStream(log: Log): void {
    if (log.stream !== undefined) this.#streams.delete(log.stream);
    log.stream = undefined;
    log.pause = undefined;
  }

  #forgetStep(work: Work, step: number): void {
    for (const [key, log] of work.logs) {
      if (log.step !== step) continue;
      this.#closeStream(log);
      work.logs.delete(key);
    }
  }
}

function malformed(state: string) {
  return { is: 'malformed', state } as const;
}

function notPausing(state: string) {
  return { is: 'notPausing', state } as const;
}

/** Only of a stream that has said that it rests, so nothing of what was sent before is still on the way. */
function proceedOf({ work, log }: Stream): Proceed | undefined {
  if (log.stream === undefined) return undefined;
  log.pause = undefined;
  return { type: 'proceed', ...work.lease, stream: log.stream, offset: log.received };
}

type Proceed = MessageOf<MasterMessage, 'proceed'>;

interface Acknowledgement extends Lease {
  type: 'ack';
  sequence: number;
  streams: { stream: number; offset: number }[];
}
