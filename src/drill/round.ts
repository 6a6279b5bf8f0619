import { sleep } from '../base/abort.ts';
import { BbxError, sentences } from '../base/error.ts';
import type { BuildObject, RequestObject } from '../api/objects.ts';
import { checkEvents } from './checks/events.ts';
import { faultsSaid, spoolsLeft, stepsLeft } from './checks/farm.ts';
import { checkLogs } from './checks/logs.ts';
import { checkRequest } from './checks/results.ts';
import { openTrace, type Trace } from './checks/trace.ts';
import type { Ask, RoundPlan } from './plan.ts';
import { sizeOf } from './processes.ts';
import { until } from './program.ts';
import type { RoundReport } from './report.ts';
import type { Sandbox } from './sandbox.ts';

/** A farm in use, with what its earlier rounds have read already. */
export interface Stage {
  farm: Sandbox;
  trace: Trace;
  grace: string;
  heard: number;
  said: Map<string, number>;
}

export function openStage(farm: Sandbox): Stage {
  return { farm, trace: openTrace(farm.dir), grace: '10m', heard: 0, said: new Map() };
}

/** All that was asked for must have ended so long after the fault is over, ms. A link that is half-open alone takes 35 s to be found. */
const SETTLE_MS = 120_000;
/** So long a watcher may need to be back after a restart, and a spool to be emptied, ms. */
const QUIET_MS = 15_000;
/** A request is asked for again when the master is away, so long, ms. */
const ASK_MS = 120_000;
const ASK_AGAIN_MS = 100;

/** Runs one round: asks for builds, strikes, waits until all is quiet, and looks at everything that the round has left. */
export async function runRound(stage: Stage, plan: RoundPlan, signal: AbortSignal): Promise<RoundReport> {
  const { farm } = stage;
  const { blow } = plan;
  const wrong: string[] = [];
  const asked: Asked = { requests: new Set(), cancelled: new Set() };
  const began = performance.now();
  const grace = blow.grace ?? '10m';
  if (grace !== stage.grace) await farm.configure({ grace });
  stage.grace = grace;

  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const asking = Promise.all(plan.asks.map((ask) => askFor(farm, ask, asked, both)));
  asking.catch(() => undefined);
  let noticed: number | undefined;
  let struck = began;
  let healed = began;
  let recovered: number | undefined;
  try {
    await sleep(plan.strikeAfterMs, signal);
    struck = performance.now();
    await blow.strike(farm, {
      signal,
      noticed: () => (noticed ??= performance.now()),
      wrong: (what) => wrong.push(what),
    });
    healed = performance.now();
    await asking;
    await settle(farm, asked, signal, () => (recovered ??= performance.now()));
  } catch (error) {
    signal.throwIfAborted();
    wrong.push(sentences(error).join(': '));
    wrong.push(...(await stuck(farm)));
  } finally {
    over.abort(new Error('the round is over'));
  }
  const ended = performance.now();

  const heard = farm.watcher.heard.slice(stage.heard);
  const { requests, builds } = await tell(farm, asked, heard, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    wrong.push(`the farm cannot be asked: ${sentences(error).join(': ')}`);
    return { requests: [] as RequestObject[], builds: new Map<number, BuildObject[]>() };
  });
  const all = [...builds.values()].flat();
  let [bytes, lost, doubled] = [0, 0, 0];
  for (const id of asked.requests)
    if (!requests.some(({ buildrequestid }) => buildrequestid === id)) wrong.push(`request ${id} is lost`);
  const unended = requests.filter(({ complete }) => !complete).length;
  for (const request of requests) {
    const allowed = { mercy: blow.mercy, hit: blow.hit ?? [], cancelled: asked.cancelled };
    wrong.push(...checkRequest(request, builds.get(request.buildrequestid) ?? [], allowed));
  }
  for (const build of all) {
    const verdict = await checkLogs(farm.client, build, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      return {
        wrong: [`logs of ${build.builder}/${build.number}: ${sentences(error).join(': ')}`],
        bytes: 0,
        lost: 0,
        doubled: 0,
      };
    });
    wrong.push(...verdict.wrong);
    bytes += verdict.bytes;
    lost += verdict.lost;
    doubled += verdict.doubled;
  }
  wrong.push(...checkEvents(heard, requests, all));
  wrong.push(...(await stage.trace.check([...builds.values()])));
  wrong.push(...(await stepsLeft(farm)), ...(await faultsSaid(farm, stage.said)));
  stage.heard += heard.length;

  const fromEvents = heard.find(
    ({ at, event }) =>
      at >= struck &&
      (event.type === 'build.lost' || (event.type === 'worker.changed' && event.what === 'detached')),
  )?.at;
  const fromDials = farm.workers.map(({ relay }) => relay.dialledAt).filter((at) => at >= struck);
  const first = Math.min(noticed ?? Infinity, fromEvents ?? Infinity, ...fromDials);
  const size = await sizeOf(farm.master.program.pid);
  return {
    round: plan.round,
    fault: plan.fault.name,
    words: blow.words,
    asked: asked.requests.size,
    attempts: all.length,
    bytes,
    buildsLost:
      unended + [...asked.requests].filter((id) => !requests.some((one) => one.buildrequestid === id)).length,
    bytesLost: lost,
    bytesDoubled: doubled,
    noticeSeconds: Number.isFinite(first) ? round3(first - struck) : null,
    recoverSeconds: recovered === undefined ? null : round3(Math.max(0, recovered - healed)),
    tookSeconds: round3(ended - began),
    masterBytes: size?.residentBytes ?? null,
    masterHandles: size?.handles ?? null,
    wrong,
  };
}

interface Asked {
  /** Requests whose submission was answered. */
  requests: Set<number>;
  cancelled: Set<number>;
}

const round3 = (ms: number) => Math.round(ms) / 1_000;

/** Asks for one build, as often as it takes, and has it cancelled when that is planned. */
async function askFor(farm: Sandbox, ask: Ask, asked: Asked, signal: AbortSignal): Promise<void> {
  await sleep(ask.afterMs, signal);
  const { buildrequestid: id } = await insist(signal, () =>
    farm.client.call(
      'startBuild',
      { body: { builder: ask.builder, reason: 'drill' } },
      { signal, timeoutMs: 5_000 },
    ),
  );
  asked.requests.add(id);
  if (ask.cancelAfterMs === undefined) return;
  await sleep(ask.cancelAfterMs, signal);
  asked.cancelled.add(id);
  const input = { params: { request: `r${id}` }, body: { reason: 'drill' } };
  await insist(signal, () => farm.client.call('cancelRequest', input, { signal, timeoutMs: 5_000 })).catch(
    (error: unknown) => {
      // One that has ended meanwhile cannot be cancelled any more.
      signal.throwIfAborted();
      if (!(error instanceof BbxError)) throw error;
    },
  );
}

/** Calls until a master answers; a call that a dying one did not answer may have been heard all the same. */
async function insist<Answer>(signal: AbortSignal, call: () => Promise<Answer>): Promise<Answer> {
  const end = performance.now() + ASK_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BbxError) || !(error.retryable || isAway(error)) || performance.now() > end)
        throw error;
      await sleep(ASK_AGAIN_MS, signal);
    }
  }
}

const isAway = ({ code }: BbxError) =>
  code === 'BBX-API-UNREACHABLE' || code === 'BBX-API-CONNECTION' || code === 'BBX-API-SILENT';

/** Waits until the farm is whole again, then until nothing runs and nothing waits, and all of it was heard and acknowledged. */
async function settle(
  farm: Sandbox,
  asked: Asked,
  signal: AbortSignal,
  onRecovered: () => void,
): Promise<void> {
  const status = () => farm.client.call('status', {}, { signal, timeoutMs: 10_000 });
  await until(
    'all builds end and all workers are back',
    SETTLE_MS,
    async () => {
      const { workers, running, pending, trouble } = await status();
      const whole =
        workers.every(({ attached, notes }) => attached && notes.length === 0) && trouble.length === 0;
      if (whole) onRecovered();
      return (
        whole && running.length === 0 && pending.length === 0 && workers.every((one) => one.running === 0)
      );
    },
    signal,
  );
  const { heard } = farm.watcher;
  const finished = () =>
    new Set(heard.map(({ event }) => (event.type === 'request.finished' ? event.buildrequestid : 0)));
  await until(
    'the watcher hears the end of every build',
    QUIET_MS,
    () => {
      if (farm.watcher.broken !== undefined) throw farm.watcher.broken;
      const ends = finished();
      return [...asked.requests].every((id) => ends.has(id));
    },
    signal,
  );
  let left: string[] = [];
  await until(
    'spools are emptied',
    QUIET_MS,
    async () => (left = await spoolsLeft(farm)).length === 0,
    signal,
  ).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new Error(left.join('; '), { cause: error });
  });
}

/** What keeps a farm from being quiet. */
async function stuck(farm: Sandbox): Promise<string[]> {
  const state = await farm.client.call('status', {}).catch(() => undefined);
  if (state === undefined) return ['the master does not answer'];
  return [
    ...state.running.map(({ builder, number, state_string }) => `${builder}/${number} runs: ${state_string}`),
    ...state.pending.map(({ buildrequestid, builder }) => `request ${buildrequestid} of ${builder} waits`),
    ...state.workers.filter(({ attached }) => !attached).map(({ name }) => `${name} is not attached`),
    ...state.workers.flatMap(({ name, notes }) => notes.map((note) => `${name} says: ${note}`)),
    ...state.trouble.map(({ subject, message }) => `trouble with ${subject}: ${message}`),
  ];
}

/** Requests and builds of a round: those that were asked for, and those whose submission was heard. */
async function tell(
  farm: Sandbox,
  asked: Asked,
  heard: Sandbox['watcher']['heard'],
  signal: AbortSignal,
): Promise<{ requests: RequestObject[]; builds: Map<number, BuildObject[]> }> {
  const ids = new Set(asked.requests);
  for (const { event } of heard) if (event.type === 'request.submitted') ids.add(event.buildrequestid);
  const requests: RequestObject[] = [];
  const builds = new Map<number, BuildObject[]>();
  for (const id of ids) {
    const found = await farm.client
      .call('request', { params: { request: `r${id}` } }, { signal })
      .catch((error: unknown) => {
        // One that is lost is told by its absence.
        if (error instanceof BbxError && !error.retryable) return undefined;
        throw error;
      });
    if (found === undefined) continue;
    requests.push(found);
    const own: BuildObject[] = [];
    for (const { buildid } of found.builds)
      own.push(await farm.client.call('build', { params: { build: String(buildid) } }, { signal }));
    builds.set(id, own);
  }
  return { requests, builds };
}
