import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { systemClock } from '../../../../../src/base/clock.ts';
import { createSteadyClock } from '../../../../../src/base/steady-clock.ts';
import { silentLog } from '../../../../../src/base/log.ts';
import { openKeptBuilds } from '../../../../../src/runtime/worker/keeper/kept-builds.ts';
import { createLine } from '../../../../../src/runtime/worker/keeper/line.ts';
import {
  KEEPER_VERSION,
  type HeldBuild,
  type LogState,
  type Notice,
} from '../../../../../src/runtime/worker/keeper/messages.ts';
import { keeperPlaces } from '../../../../../src/runtime/worker/keeper/socket.ts';
import { createSpoolBudget } from '../../../../../src/runtime/worker/spool-budget.ts';
import { tempDir } from '../../../../rigs/temp-dir.ts';

const key = '7-1-00000000000000aa';

it('hears what a keeper tells in one piece with its greeting', async () => {
  await using dir = await tempDir();
  const build: HeldBuild = {
    ...{ key, dir: dir.path, builddir: 'b', marker: 'kept-builds-test', uids: [], secrets: {} },
    orphanAfter: 60,
  };
  const log: LogState = { key, id: 0, step: 0, name: 'stdio', size: 3, base: 0, files: [0], turns: 1 };
  const notices: Notice[] = [
    {
      ...{ type: 'hello', version: KEEPER_VERSION, software: 'test', pid: process.pid, contactAgeMs: 0 },
      builds: [{ build, logs: [log], runs: [0], orphaned: false }],
    },
    { type: 'grew', logs: [{ ...log, size: 8, files: [] }] },
    { type: 'orphaned', key },
  ];
  const places = keeperPlaces(dir.path);
  await mkdir(places.home);
  const keeper = createServer((socket) => {
    const onValue = () =>
      void socket.write(notices.map((notice) => `${JSON.stringify({ notice })}\n`).join(''));
    createLine(socket, { onValue, onEnd: () => undefined });
  }).listen(places.socket);
  await once(keeper, 'listening');

  const common = { clock: createSteadyClock(systemClock), log: silentLog };
  const kept = await openKeptBuilds({ dir: dir.path, software: 'test', ...common });
  const found = kept.find(key);
  const never = new AbortController().signal;
  const disk = { wait: () => Promise.reject(new Error('no disk')), over: () => undefined };
  const deps = { clock: systemClock, budget: createSpoolBudget(Infinity), disk };
  const place = { dir: dir.path, id: 0, step: 0, name: 'stdio', gone: never };
  expect([found?.openLog(place, deps).size, found?.orphaned]).toEqual([8, true]);
  kept.leave();
  keeper.close();
});
