import type { Channel } from '../../build/command-port.ts';
import { CHANNELS } from './record.ts';

/** Bytes of one channel that were written together. */
export interface Run {
  length: number;
  /** Undefined: lost. */
  channel: Channel | undefined;
  /** Of its first byte. */
  at: number;
}

const LOST = CHANNELS.length;

/** What was written on one channel within this time is one run in a finished log: times stay true to a tenth of a second. */
const TOGETHER_S = 0.1;

/** Collects the runs of a block, joining neighbours. */
export function createRuns() {
  let runs: Run[] = [];
  return {
    add(run: Run): void {
      const last = runs.at(-1);
      const joins =
        last !== undefined && last.channel === run.channel && Math.abs(run.at - last.at) < TOGETHER_S;
      if (joins) last.length += run.length;
      else runs.push({ ...run });
    },
    take(): Run[] {
      const taken = runs;
      runs = [];
      return taken;
    },
  };
}

/** Each run as three varints: length, channel, microseconds since the run before. */
export function encodeRuns(runs: readonly Run[]): Buffer {
  const bytes: number[] = [];
  let before = 0;
  for (const run of runs) {
    const at = Math.round(run.at * 1e6);
    const delta = at - before;
    before = at;
    pushVarint(bytes, run.length);
    pushVarint(bytes, run.channel === undefined ? LOST : CHANNELS.indexOf(run.channel));
    pushVarint(bytes, delta >= 0 ? delta * 2 : -delta * 2 - 1);
  }
  return Buffer.from(bytes);
}

/** Reads what `encodeRuns` wrote. Throws RangeError for bytes that it cannot have written. */
export function decodeRuns(bytes: Buffer): Run[] {
  const runs: Run[] = [];
  let position = 0;
  let at = 0;
  const next = () => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[position];
      if (byte === undefined) throw new RangeError('a run ends in the middle');
      position += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  };
  while (position < bytes.length) {
    const length = next();
    const channel = CHANNELS[next()];
    const delta = next();
    at += delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2;
    runs.push({ length, channel, at: at / 1e6 });
  }
  return runs;
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}
