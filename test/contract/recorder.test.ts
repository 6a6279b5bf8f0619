import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { ProgressEvent } from '../../src/build/progress.ts';
import type { MasterSession } from '../../src/protocol/bbx/master-contract.ts';
import type { Farm } from '../../src/runtime/master/events.ts';
import type { LogIntake } from '../../src/runtime/master/logs.ts';
import { courseOf } from '../../src/runtime/master/course.ts';
import { createRecorder } from '../../src/runtime/master/recorder.ts';
import type { OpenLog, Running } from '../../src/runtime/master/running.ts';
import { createTroubleList } from '../../src/runtime/master/trouble.ts';
import { buildById } from '../../src/store/build-rows.ts';
import { codes } from '../../src/store/codes.ts';
import { stepRows } from '../../src/store/steps.ts';
import { openStore } from '../../src/store/store.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';
import { farmRows } from './store/farm.ts';

/** A recorder over a real store that can be too busy, with a build that has just been assigned. */
async function recorderOf(dir: string, small = false) {
  const store = await openStore('sqlite:s', { dir });
  const made = await farmRows(store).build('app');
  const acknowledged: number[] = [];
  const state = { busyAt: 0, broken: false, throwing: false, commits: 0, freed: 0, ended: [] as string[] };
  const farm = {
    async change(act: Parameters<Farm['change']>[0]) {
      state.commits += 1;
      if (state.broken) throw new Error('this build cannot be written');
      if (state.commits === state.busyAt) throw codes['BBX-STO-BUSY']({ what: 'it waited', waitedMs: 1 });
      return store.write((tx) => act(tx, () => undefined));
    },
  } as unknown as Farm;
  const logs = {
    open: (build: Running, step: number, name: string) => ({ build, step, name, logid: undefined }),
    // A log whose bytes never come is never closed.
    finish: async ({ name }: OpenLog) =>
      name === 'lost' ? new Promise(() => undefined) : { bytes: 0, sha256: 'good' },
    finishSmall: () => (small ? { bytes: 0, sha256: 'good', content: '[]' } : undefined),
    kept: () => undefined,
    placed: (log: OpenLog, placed: number) => void (log.logid = placed),
    wake: () => undefined,
  } as unknown as LogIntake;
  const session = {
    acknowledge(_: unknown, { sequence }: { sequence: number }) {
      if (state.throwing) throw new Error('a fault of ours');
      acknowledged.push(sequence);
    },
    drop: () => undefined,
  } as unknown as MasterSession;
  const recorder = createRecorder({
    farm,
    logs,
    clock: systemClock,
    log: silentLog,
    trouble: createTroubleList({ clock: systemClock, log: silentLog }),
    onEnded(_, { result }) {
      state.ended.push(result);
      if (state.throwing) throw new Error('a fault of ours');
    },
    places: { next: () => undefined, freed: () => void state.freed++ },
  });
  const build = {
    ...{ lease: { build: made.buildid, token: made.token }, buildid: made.buildid, requestid: made.request },
    ...{ builder: 'app', number: 1, sequence: 0, properties: {}, steps: new Map(), logs: new Map() },
    ...{ session, cancelReason: null, ended: false, givenUp: false, lastAt: 0, course: courseOf(0, []) },
  } as unknown as Running;
  return { store, recorder, build, state, acknowledged };
}

const started: ProgressEvent = { type: 'buildStarted', at: 1, workdir: '/w' };
const walk: ProgressEvent[] = [
  started,
  { type: 'stepStarted', at: 1, step: 0, name: 's' },
  {
    ...{ type: 'stepFinished', at: 2, step: 0, results: 0, state: 'finished', rc: 0, signal: null },
    ...{ logs: [{ name: 'stdio', bytes: 0, sha256: 'good' }], properties: {} },
  },
  { type: 'stepStarted', at: 2, step: 1, name: 't' },
  {
    ...{ type: 'stepFinished', at: 3, step: 1, results: 2, state: 'failed', rc: 1, signal: null },
    ...{ logs: [], properties: {} },
  },
  { type: 'buildFinished', at: 3, results: 0, state: 'build successful' },
];

describe('what is recorded of a build', () => {
  // The commits of this walk: what is before the end of its step, with the row of the step's log, and the end of step and build. With a small log: one.
  it.each([
    [1, false],
    [2, false],
    [1, true],
  ])('is written also when the store was too busy for commit %i (small log: %s)', async (busyAt, small) => {
    await using dir = await tempDir();
    const { store, recorder, build, state } = await recorderOf(dir.path, small);
    await using _ = store;
    state.busyAt = busyAt;
    for (const [index, event] of walk.entries()) {
      recorder.event(build, index + 1, event);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('the end', () => state.ended.length > 0, 5_000);
    expect(state.ended).toEqual(['success']);
    // It was met, and done again.
    expect(state.commits).toBe(small ? 2 : 3);
    const row = await store.read((db) => buildById(db, build.buildid));
    expect(row).toMatchObject({ results: 0, sequence: 6 });
    const steps = await store.read((db) => stepRows(db, build.buildid));
    expect(steps).toMatchObject([
      { number: 0, name: 's', results: 0, complete_at: 2, logs: [{ name: 'stdio', complete: true }] },
      { number: 1, name: 't', results: 2, complete_at: 3, state_string: 'failed', logs: [] },
    ]);
    await recorder.stop();
  });

  it('is acknowledged again when it comes again: a new session knows nothing of the first time', async () => {
    await using dir = await tempDir();
    const { store, recorder, build, acknowledged } = await recorderOf(dir.path);
    await using _ = store;
    recorder.event(build, 1, started);
    await until('the acknowledgement', () => acknowledged.length === 1, 2_000);
    recorder.event(build, 1, started);
    expect(acknowledged).toEqual([1, 1]);
    await recorder.stop();
  });

  it('is ended by the master also where bytes of a further step never come, while an earlier one waits for the store', async () => {
    await using dir = await tempDir();
    const { store, recorder, build, state } = await recorderOf(dir.path);
    await using _ = store;
    state.busyAt = 2;
    for (const [index, event] of walk.slice(0, 3).entries()) recorder.event(build, index + 1, event);
    await until('the end of the step that comes again', () => state.commits === 2, 2_000);
    recorder.event(build, 4, walk[3]!);
    const logs = [{ name: 'lost', bytes: 9, sha256: '' }];
    recorder.event(build, 5, { ...(walk[4] as ProgressEvent & { type: 'stepFinished' }), logs });
    recorder.end(build, { result: 'retry', state: 'its worker was lost', at: 4, again: false });
    await until('the end', () => state.ended.length > 0, 5_000);
    expect(state.ended).toEqual(['retry']);
    const steps = await store.read((db) => stepRows(db, build.buildid));
    expect(steps).toMatchObject([
      { number: 0, results: 0, complete_at: 2 },
      { number: 1, state_string: 'its worker was lost' },
    ]);
    await recorder.stop();
  });

  it('is written on whatever goes wrong once it is committed: nothing is written twice, and nobody else waits', async () => {
    await using dir = await tempDir();
    const { store, recorder, build, state, acknowledged } = await recorderOf(dir.path, true);
    await using _ = store;
    state.throwing = true;
    recorder.event(build, 1, started);
    await until('the commit', () => build.sequence === 1, 2_000);
    for (const [index, event] of walk.slice(1).entries()) recorder.event(build, index + 2, event);
    await until('the end', () => state.freed > 0, 5_000);
    expect(state).toMatchObject({ commits: 2, ended: ['success'], freed: 1 });
    expect(acknowledged).toEqual([]);
    expect(await store.read((db) => stepRows(db, build.buildid))).toHaveLength(2);
    await recorder.stop();
  });

  it('is given up when not even its end can be written: it is tried once, and its place is free', async () => {
    await using dir = await tempDir();
    const { store, recorder, build, state } = await recorderOf(dir.path);
    await using _ = store;
    state.broken = true;
    recorder.event(build, 1, started);
    await until('the end', () => state.ended.length > 0, 5_000);
    expect(state.ended).toEqual(['exception']);
    // The batch, then it alone, and the same for its end.
    expect(state.commits).toBe(4);
    await recorder.stop();
  });
});
