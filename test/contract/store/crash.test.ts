import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startStep } from '../../../src/store/steps.ts';
import { checkStore } from '../../../src/store/check.ts';
import { openLogFiles } from '../../../src/store/log-files.ts';
import { logById } from '../../../src/store/logs.ts';
import { openStore } from '../../../src/store/store.ts';
import { farmRows } from './farm.ts';
import { byteAt } from '../../fixtures/store/bytes.ts';

const WRITER = join(import.meta.dirname, '../../fixtures/store/writer.ts');
const ROUNDS = 6;

it(
  'killed at any moment, a master finds everything again that it has acknowledged',
  { timeout: 60_000 },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'bbx-crash-'));
    try {
      const stepid = await prepare(dir);
      for (let round = 0; round < ROUNDS; round += 1) {
        await runAndKill(dir, stepid, Math.random() * 400);
        await verify(dir);
      }
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
);

async function prepare(dir: string): Promise<number> {
  await using store = await openStore('sqlite:state.sqlite', { dir });
  const { buildid } = await farmRows(store).build('a');
  return store.write((tx) => startStep(tx, { buildid, number: 0, name: 'shell', at: 1 }));
}

async function runAndKill(dir: string, stepid: number, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [WRITER, dir, String(stepid)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  try {
    await Promise.race([once(child.stdout, 'data'), gone]);
    expect(child.exitCode).toBeNull();
    // The moment is meant to be any.
    await delay(afterMs);
  } finally {
    child.kill('SIGKILL');
    await gone;
  }
  expect(child.signalCode).toBe('SIGKILL');
}

async function verify(dir: string): Promise<void> {
  const text = await readFile(join(dir, 'acknowledged'), 'utf8').catch(() => '');
  await using store = await openStore('sqlite:state.sqlite', { dir });
  await using files = await openLogFiles(join(dir, 'logs'));
  const logs = new Map<number, number>();
  for (const line of text.split('\n').slice(0, -1)) {
    const [what, id, size] = line.split(' ');
    const logid = Number(id);
    logs.set(logid, Math.max(logs.get(logid) ?? 0, Number(size)));
    if (what === 'row') {
      expect((await store.read((db) => logById(db, logid)))?.bytes).toBeGreaterThanOrEqual(Number(size));
    }
    if (what === 'finished') expect(await files.index(logid)).toMatchObject({ complete: true });
  }
  for (const [logid, size] of logs) {
    expect(await files.size(logid)).toBeGreaterThanOrEqual(size);
    let offset = 0;
    for await (const piece of files.read(logid)) {
      expect(piece.offset).toBe(offset);
      expect(piece.damaged).toBeUndefined();
      const wrong = piece.bytes.findIndex((byte, index) => byte !== byteAt(logid, offset + index));
      expect(wrong).toBe(-1);
      offset += piece.bytes.length;
    }
    expect(offset).toBe(await files.size(logid));
  }
  const findings = await Array.fromAsync(checkStore(store, join(dir, 'logs')));
  // What was being compressed when the killing came is swept when its log is next used.
  expect(findings.filter((finding) => finding.kind !== 'leftover')).toEqual([]);
}
