import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createSteadyClock } from '../../src/base/steady-clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { fillDisk } from '../../src/drill/namespace.ts';
import { endLeftovers } from '../../src/exec/end-processes.ts';
import { openKeptBuilds } from '../../src/runtime/worker/keeper/kept-builds.ts';
import { keeperPlaces } from '../../src/runtime/worker/keeper/socket.ts';
import { createSpoolBudget } from '../../src/runtime/worker/spool-budget.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { smallDisks, wantOfSmallDisks } from '../rigs/small-disks.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const KEEPER = fileURLToPath(new URL('../../src/runtime/worker/keeper/main.ts', import.meta.url));
const KEY = '7-1-00000000000000aa';
const LINES = 300;
const LINE = `${'0'.repeat(9_999)}\n`;
const never = new AbortController().signal;
const test = skipAloud("a keeper's full disk", await wantOfSmallDisks()) ? it.skip : it;

test('a command whose disk is full is held up, also while no worker is there; it goes on when there is room, with every byte', async () => {
  await using machine = await smallDisks();
  await using dir = await tempDir();
  const uids = [process.geteuid?.() ?? 0];
  const spool = join(dir.path, 'spool');
  await mkdir(keeperPlaces(dir.path).home, { mode: 0o700 });
  await mkdir(spool);
  await machine.mount(spool, 16 * 1024 * 1024);
  const seen = machine.seen(join(spool, KEY));
  await mkdir(seen);
  const [nsenter = '', ...words] = machine.within;
  const program = spawn(nsenter, [...words, process.execPath, '--no-warnings', KEEPER, dir.path, 'test'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(program, 'exit');
  await using _left = {
    async [Symbol.asyncDispose]() {
      program.kill('SIGKILL');
      await gone;
      await endLeftovers(`keeper-disk-${process.pid}`, { uids });
    },
  };
  await once(program.stdout, 'data');

  const worker = async () => {
    const kept = await openKeptBuilds({
      dir: dir.path,
      software: 'test',
      clock: createSteadyClock(systemClock),
      log: silentLog,
    });
    const told: { fullDisk: string | undefined } = { fullDisk: undefined };
    kept.watch({
      lost: () => undefined,
      spool: (said) => void (told.fullDisk = said.fullDisk),
      silentMs: () => 0,
      room: () => ({ limit: 1 << 30, other: 0 }),
      trouble: () => undefined,
    });
    return { kept, told };
  };
  const copy = join(dir.path, 'copy');
  const written = () => (existsSync(copy) ? readFileSync(copy).length : 0);
  const script = `n=0; while [ $n -lt ${LINES} ]; do n=$((n+1)); printf '%09999d\\n' 0; printf x >> ${copy}; done; exit 5`;
  const order = {
    ...{ step: 0, log: { id: 0, name: 'stdio' }, command: ['/bin/sh', '-c', script], cwd: dir.path },
    ...{ env: { PATH: process.env['PATH'] ?? '' }, marker: `keeper-disk-${process.pid}/step-0` },
    ...{ inheritedMarker: undefined, scratch: dir.path, identity: null },
    ...{ timeoutMs: null, maxTimeMs: null, sigtermTimeMs: 500 },
  };
  const held = {
    key: KEY,
    dir: join(spool, KEY),
    builddir: 'b',
    marker: `keeper-disk-${process.pid}`,
    uids,
  };

  const filler = machine.seen(join(spool, 'filler'));
  await fillDisk(filler);
  const first = await worker();
  const build = await first.kept.hold({ ...held, orphanAfter: null, secrets: {} });
  build?.run(order, never).catch(() => undefined);
  await until('the worker to be told of the full disk', () => first.told.fullDisk?.includes('ENOSPC'));
  first.kept.leave();
  // What fits into pipes and memory is taken; the rest is held up.
  const before = await until('the command to be held up', async () => {
    const sofar = written();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return written() === sofar && sofar > 0 && sofar;
  });
  expect(before).toBeLessThan(LINES);

  await rm(filler);
  await until('the command to go on while no worker is there', () => written() === LINES);
  await until('its end to be written down', () => existsSync(join(seen, 'end.json')));

  const second = await worker();
  const again = second.kept.find(KEY);
  const place = { dir: seen, id: 0, step: 0, name: 'stdio', gone: never };
  const disk = { wait: () => Promise.resolve(), over: () => undefined };
  const log = again?.openLog(place, { clock: systemClock, budget: createSpoolBudget(1 << 30), disk });
  expect(await again?.run(order, never)).toMatchObject({ ended: 'exit', rc: 5 });
  let bytes = 0;
  for await (const { channel, payload } of log?.read(0) ?? []) {
    if (channel !== 'stdout') continue;
    const text = Buffer.from(payload).toString();
    const from = bytes % LINE.length;
    expect(
      text === LINE.repeat(Math.ceil((from + text.length) / LINE.length)).slice(from, from + text.length),
    ).toBe(true);
    bytes += text.length;
  }
  expect(bytes).toBe(LINES * LINE.length);
  await second.kept.quit();
  await gone;
});
