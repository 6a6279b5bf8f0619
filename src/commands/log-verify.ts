import { createHash } from 'node:crypto';
import type { BuildObject, LogObject, StepObject } from '../api/objects.ts';
import type { Client } from '../client/client.ts';
import { printBytes } from '../base/bytes.ts';
import { EXIT } from '../base/exit.ts';
import { buildTitle } from '../build/title.ts';
import type { Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { answer } from './terminal/print.ts';
import { createProgress } from './terminal/progress.ts';
import { missingWords, receiptWords } from './log-receipt.ts';

/** One log, read again from its first byte to its last. */
interface Verified extends Pick<LogObject, 'bytes' | 'lines' | 'sha256' | 'receipt' | 'cut'> {
  step: number;
  name: string;
  log: string;
  /** What was read now. */
  found: { bytes: number; lines: number; sha256: string };
  holes: Hole[];
  /**
   * `verified`; `incomplete`: it is what was stored, which is not all of it; `unknown`: it grows, or its hash was never known; `damaged`: it is not
   * what was stored.
   */
  state: 'verified' | 'incomplete' | 'unknown' | 'damaged' | 'removed';
  problem: string | null;
  words: string;
}

/** What is missing; `to` is null where the log breaks off and nobody knows how much that is. */
interface Hole {
  from: number;
  to: number | null;
  cause: string;
  /** For people. */
  words: string;
}

/** Reads logs of a build again and compares them with their receipts. Exit 1 when one does not hold. */
export async function verifyLogs(
  context: Context,
  client: Client,
  build: BuildObject,
  steps: readonly StepObject[],
): Promise<void> {
  using progress = createProgress(context);
  const logs: Verified[] = [];
  for (const step of steps) {
    for (const log of step.logs) {
      progress.wait(`reading ${buildTitle(build)} ${step.name} ${log.name}, ${printBytes(log.bytes)}`);
      logs.push(await verify(context, client, build, step, log));
    }
  }
  progress.stop();
  const holds = logs.every(({ state }) => state !== 'damaged');
  answer(
    context,
    { build: buildTitle(build), buildid: build.buildid, verified: holds, logs },
    (style, seen) =>
      seen.logs.length === 0
        ? `${seen.build}: no logs`
        : seen.logs
            .map((log) => {
              const colour = {
                verified: 'green',
                damaged: 'red',
                incomplete: 'yellow',
                unknown: 'yellow',
                removed: 'yellow',
              } as const;
              return `${log.step} ${log.name} ${log.log}\t${style.paint[colour[log.state]](log.state)}\t${log.words}`;
            })
            .join('\n'),
  );
  if (!holds) throw new Outcome(EXIT.failed);
}

async function verify(
  context: Context,
  client: Client,
  build: BuildObject,
  step: StepObject,
  log: LogObject,
): Promise<Verified> {
  const hash = createHash('sha256');
  const holes: Verified['holes'] = [];
  let bytes = 0;
  let lines = 0;
  if (!log.pruned) {
    const pieces = client.pieces({
      ...{ build: String(build.buildid), title: buildTitle(build), step: String(step.number), log: log.name },
      signal: context.signal,
    });
    for await (const piece of pieces) {
      if ('lost' in piece) {
        const { offset: from, lost, cause } = piece;
        holes.push({ from, to: lost === null ? null : from + lost, cause, words: missingWords(piece) });
        bytes += lost ?? 0;
        continue;
      }
      hash.update(piece.data);
      for (const byte of piece.data) if (byte === 10) lines += 1;
      bytes += piece.data.length;
    }
  }
  const found = { bytes, lines, sha256: hash.digest('hex') };
  const verdict = judge(log, found, holes);
  return {
    ...{ step: step.number, name: step.name, log: log.name },
    ...{ bytes: log.bytes, lines: log.lines, sha256: log.sha256, receipt: log.receipt, cut: log.cut },
    ...{ found, holes },
    ...verdict,
    words: verdict.problem ?? receiptWords(log, { whole: true }) ?? '',
  };
}

/** Whether what was read is what the log's row says. */
export function judge(
  log: LogObject,
  found: Verified['found'],
  holes: Verified['holes'],
): Pick<Verified, 'state' | 'problem'> {
  if (log.pruned) return { state: 'removed', problem: 'removed by retention' };
  const damaged = holes.filter(({ to }) => to !== null);
  const breaksOff = holes.find(({ to }) => to === null);
  if (damaged.length > 0) {
    const shown = damaged.slice(0, 5);
    const more = damaged.length > shown.length ? [`and ${damaged.length - shown.length} more holes`] : [];
    const last = breaksOff === undefined ? [] : [breaksOff];
    const words = [...shown, ...last].map((hole) => `at byte ${hole.from}: ${hole.words}`);
    return { state: 'damaged', problem: [...words, ...more].join('; ') };
  }
  if (!log.complete)
    return { state: 'unknown', problem: `it still grows: ${printBytes(found.bytes)} so far` };
  if (found.bytes !== log.bytes)
    return { state: 'damaged', problem: `${found.bytes} bytes are there, ${log.bytes} were stored` };
  if (log.receipt === 'mismatch')
    return { state: 'damaged', problem: 'it was not what its worker had counted when it was stored' };
  if (log.sha256 === null) return { state: 'unknown', problem: 'its hash was never known' };
  if (found.sha256 !== log.sha256) {
    const problem = `sha256 ${found.sha256} instead of ${log.sha256}; the checksums on the disk hold, so nothing says where`;
    return { state: 'damaged', problem };
  }
  if (breaksOff !== undefined)
    return { state: 'incomplete', problem: `at byte ${breaksOff.from}: ${breaksOff.words}` };
  if (log.receipt === 'unsaid') return { state: 'incomplete', problem: null };
  return { state: 'verified', problem: null };
}
