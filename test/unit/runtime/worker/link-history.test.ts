import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openLinkHistory, readLinkHistory } from '../../../../src/runtime/worker/link-history.ts';
import { silentLog } from '../../../../src/base/log.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';

/** A history in a directory of its own, with clocks that the test moves. */
async function setUp(file: string, more: { boot?: string; host?: string; up?: number } = {}) {
  const at = { wall: 1_000, monotonic: 0, up: more.up ?? 500 };
  const history = await openLinkHistory({
    file,
    boot: more.boot ?? 'boot-1',
    clock: { wall: () => at.wall, monotonic: () => at.monotonic },
    elapsed: { host: more.host ?? 'host-1', seconds: () => at.up },
    log: silentLog,
  });
  return { at, history };
}

const refused = { target: 'm:9989', code: 'BBX-NET-REFUSED', got: 'ECONNREFUSED' };

it('numbers go on after a restart, and what was not told is told by the next process', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'link.jsonl');
  const first = await setUp(file);
  first.history.add({ kind: 'began', software: 'bbx 1' });
  first.history.add({ kind: 'clock', by: 3_600 });
  await first.history.close();
  const second = await setUp(file, { boot: 'boot-2', up: 560 });
  second.history.add({ kind: 'began', software: 'bbx 1' });
  expect(second.history.untold()).toMatchObject([
    { number: 1, boot: 'boot-1', ago: 60 },
    { number: 2, boot: 'boot-1', ago: 60, fact: { kind: 'clock', by: 3_600 } },
    { number: 3, boot: 'boot-2', ago: 0 },
  ]);
  second.history.told(2);
  await second.history.close();
  const third = await setUp(file, { boot: 'boot-3' });
  expect(third.history.untold().map(({ number }) => number)).toEqual([3]);
});

it('says nothing of the age of a record from before the machine was started', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'link.jsonl');
  const first = await setUp(file);
  first.history.add({ kind: 'ended' });
  await first.history.close();
  const second = await setUp(file, { host: 'host-2', up: 9 });
  expect(second.history.untold()).toMatchObject([{ at: 1_000, ago: null }]);
});

it('counts a failure that repeats, and writes the count once a minute and before anything else', async () => {
  await using dir = await tempDir();
  const { history, at } = await setUp(join(dir.path, 'link.jsonl'));
  for (let second = 0; second < 90; second += 3) {
    at.monotonic = second * 1_000;
    history.failed(refused);
  }
  history.failed({ ...refused, got: 'ENETUNREACH' });
  history.add({ kind: 'ended' });
  const facts = history.untold().map(({ fact }) => fact);
  expect(facts).toMatchObject([
    { kind: 'failed', times: 1 },
    { kind: 'failed', times: 20 },
    { kind: 'failed', times: 9 },
    { kind: 'failed', got: 'ENETUNREACH', times: 1 },
    { kind: 'ended' },
  ]);
});

it('is mended after a power cut: a torn or foreign line costs that line alone', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'link.jsonl');
  const first = await setUp(file);
  first.history.add({ kind: 'ended' });
  await first.history.close();
  await appendFile(file, 'not json\n{"n":2,"fact":{"kind":"harm"}}\n{"n":3,"boot":"bo');
  const second = await setUp(file);
  second.history.add({ kind: 'began', software: 'x' });
  await second.history.close();
  expect((await readLinkHistory(file)).map(({ n, fact }) => [n, fact.kind])).toEqual([
    [1, 'ended'],
    [2, 'began'],
  ]);
  expect((await readFile(file, 'utf8')).endsWith('\n')).toBe(true);
});

it('never takes more than its two files of disk, and memory for a thousand records', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'link.jsonl');
  const { history } = await setUp(file);
  const got = 'x'.repeat(300);
  for (let index = 0; index < 4_000; index += 1)
    history.add({ kind: 'failed', ...refused, got, times: index });
  await history.close();
  for (const each of [file, `${file}.1`]) expect((await stat(each)).size).toBeLessThan(530_000);
  let told = 0;
  for (let batch = history.untold(); batch.length > 0; batch = history.untold()) {
    expect(batch.length).toBeLessThanOrEqual(100);
    told += batch.length;
    history.told(batch.at(-1)!.number);
  }
  expect(told).toBe(1_000);
});

it('does not tell of a minute in which nothing was wrong', async () => {
  await using dir = await tempDir();
  const { history } = await setUp(join(dir.path, 'link.jsonl'));
  history.add({ kind: 'pulse', pings: 4, missed: 0, minMs: 1, medianMs: 2, maxMs: 3 });
  expect(history.untold()).toEqual([]);
  history.add({ kind: 'pulse', pings: 4, missed: 1, minMs: 1, medianMs: 2, maxMs: 3 });
  expect(history.untold()).toHaveLength(1);
});

it('is no reason to fail: where it cannot be written the worker goes on', async () => {
  const { history } = await setUp('/nonexistent/dir/link.jsonl');
  history.add({ kind: 'ended' });
  await history.close();
  expect(history.untold()).toHaveLength(1);
});
