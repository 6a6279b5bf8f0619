import { sleep } from '../base/abort.ts';
import { sentences } from '../base/error.ts';
import { askFor, type Asked } from './ask.ts';
import { examine, type Findings } from './checks/examine.ts';
import { lateNotice, linkNotice } from './notice.ts';
import type { RoundPlan } from './plan.ts';
import { sizeOf } from './processes.ts';
import type { RoundReport } from './report.ts';
import type { Sandbox } from './sandbox.ts';
import { settle, stuck } from './settle.ts';
import { LONG_GRACE, type Stage } from './stage.ts';
import type { Heard } from './watcher.ts';

/** So often status is asked while a fault lasts, ms. */
const TROUBLE_MS = 150;

/** When things happened, monotonic ms. */
interface Times {
  began: number;
  struck: number;
  healed: number;
  ended: number;
  noticed?: number;
  recovered?: number;
}

/** Runs one round: asks for builds, strikes, waits until all is quiet, and looks at everything that the round has left. */
export async function runRound(stage: Stage, plan: RoundPlan, signal: AbortSignal): Promise<RoundReport> {
  const { farm } = stage;
  const asked: Asked = { requests: new Set(), cancelled: new Set() };
  const wrong: string[] = [];
  const times = await play(stage, plan, asked, wrong, signal);
  const heard = farm.watcher.heard.slice(stage.heard);
  stage.heard += heard.length;
  const found = await examine(stage, plan.blow, asked, heard, signal);
  const first = firstNotice(farm, times, heard);
  const { notice } = plan.blow;
  if (notice !== undefined) {
    const noticed = linkNotice([farm.worker(notice.worker)], times.struck, heard);
    const late = lateNotice(plan.blow, { ...times, noticed });
    if (late !== undefined) wrong.push(late);
  }
  return reportOf(plan, asked, times, first, found, wrong, await sizeOf(farm.master.program.pid));
}

async function play(
  stage: Stage,
  { blow, asks, strikeAfterMs }: RoundPlan,
  asked: Asked,
  wrong: string[],
  signal: AbortSignal,
): Promise<Times> {
  const { farm } = stage;
  const began = performance.now();
  const times: Times = { began, struck: began, healed: began, ended: began };
  const over = new AbortController();
  try {
    const grace = blow.grace ?? LONG_GRACE;
    if (grace !== stage.grace) await farm.configure({ grace });
    stage.grace = grace;
    const both = AbortSignal.any([signal, over.signal]);
    const answers = Promise.all(asks.map((ask) => askFor(farm, ask, asked, both)));
    answers.catch(() => undefined);
    await sleep(strikeAfterMs, signal);
    const before = await troubles(farm, signal);
    times.struck = performance.now();
    void watchTrouble(farm, before, both, {
      isNoticed: () => firstNotice(farm, times, farm.watcher.heard.slice(stage.heard)) !== undefined,
      onTrouble: () => (times.noticed ??= performance.now()),
    });
    await blow.strike(farm, {
      signal,
      noticed: () => (times.noticed ??= performance.now()),
      wrong: (what) => wrong.push(what),
    });
    times.healed = performance.now();
    await answers;
    await settle(farm, { asked, before: stage.heard }, signal, () => (times.recovered ??= performance.now()));
  } catch (error) {
    signal.throwIfAborted();
    wrong.push(sentences(error).join(': '), ...(await stuck(farm)));
  } finally {
    over.abort(new Error('the round is over'));
  }
  times.ended = performance.now();
  return times;
}

/** What status tells of trouble, as sentences; nothing when the master does not answer. */
async function troubles(farm: Sandbox, signal: AbortSignal): Promise<Set<string>> {
  const state = await farm.client.call('status', {}, { signal, timeoutMs: 2_000 }).catch(() => undefined);
  const notes = (state?.workers ?? []).flatMap((worker) => worker.notes);
  return new Set([...(state?.trouble ?? []).map(({ message }) => message), ...notes]);
}

/** Calls once when status tells of trouble that it did not tell of `before`, unless something else has shown by then that the blow is noticed. */
async function watchTrouble(
  farm: Sandbox,
  before: ReadonlySet<string>,
  signal: AbortSignal,
  { isNoticed, onTrouble }: { isNoticed: () => boolean; onTrouble: () => void },
): Promise<void> {
  while (!signal.aborted && !isNoticed()) {
    if ([...(await troubles(farm, signal))].some((sentence) => !before.has(sentence))) return onTrouble();
    await sleep(TROUBLE_MS, signal).catch(() => undefined);
  }
}

/** The first moment after the blow at which a worker dialled anew, the master missed one, or the fault itself saw that the farm told of it. */
function firstNotice(farm: Sandbox, { struck, noticed }: Times, heard: readonly Heard[]): number | undefined {
  const first = Math.min(noticed ?? Infinity, linkNotice(farm.workers, struck, heard) ?? Infinity);
  return first === Infinity ? undefined : first;
}

function reportOf(
  plan: RoundPlan,
  asked: Asked,
  { began, struck, healed, ended, recovered }: Times,
  noticed: number | undefined,
  found: Findings,
  wrong: readonly string[],
  size: { residentBytes: number; handles: number } | undefined,
): RoundReport {
  const seconds = (ms: number) => Math.round(ms) / 1_000;
  return {
    round: plan.round,
    fault: plan.fault.name,
    words: plan.blow.words,
    asked: asked.requests.size,
    attempts: found.attempts,
    bytes: found.bytes,
    buildsLost: found.buildsLost,
    bytesLost: found.bytesLost,
    bytesDoubled: found.bytesDoubled,
    noticeSeconds: noticed === undefined ? null : seconds(noticed - struck),
    recoverSeconds: recovered === undefined ? null : seconds(Math.max(0, recovered - healed)),
    tookSeconds: seconds(ended - began),
    masterBytes: size?.residentBytes ?? null,
    masterHandles: size?.handles ?? null,
    wrong: [...wrong, ...found.wrong],
  };
}
