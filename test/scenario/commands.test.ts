import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SAME_WISH_MS } from '../../src/commands/terminal/context.ts';
import { BIN, bbx, startBbx } from '../rigs/bbx.ts';
import { startFarm } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

/** Every byte there is, without a line end at the end, thirty times: what text handling would spoil. */
const BYTES = Buffer.concat(Array.from({ length: 30 }, () => Buffer.from([...Array(256).keys()])));

const CONFIG = `
title: test farm
builders:
  bytes: { steps: [{ name: write, run: [cat, __BYTES__] }] }
  red: { steps: [{ name: fine, run: "true" }, { name: bad, run: "echo no; exit 3" }] }
  slow: { steps: [{ name: talk, run: "echo begin; while [ ! -e __GO__ ]; do sleep 0.1; done; echo end" }] }
  flood: { steps: [{ name: flood, run: "yes 0123456789 | head -n 200000" }] }
  nobody: { workers: { names: [none] }, steps: [{ name: x, run: "true" }] }
`;

async function farmWithFiles() {
  const temp = await tempDir();
  const [bytes, go] = [join(temp.path, 'bytes'), join(temp.path, 'go')];
  await writeFile(bytes, BYTES);
  const config = CONFIG.replace('__BYTES__', bytes).replace('__GO__', go);
  const farm = await startFarm({ config, workers: ['w1'] });
  return {
    farm,
    config,
    go: () => writeFile(go, ''),
    async [Symbol.asyncDispose]() {
      await farm[Symbol.asyncDispose]();
      await temp[Symbol.asyncDispose]();
    },
  };
}

/** stdout of a command as the bytes that they are. */
async function bytesOf(args: readonly string[], cwd: string): Promise<Buffer> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return Buffer.concat(chunks);
}

describe('a day with a farm', () => {
  it('starts, follows, prints exactly, cancels and explains', async () => {
    await using place = await farmWithFiles();
    const { farm } = place;
    const run = (...args: string[]) => farm.run(...args);

    // Results are exit codes.
    expect(await run('build', 'start', 'bytes', '--wait')).toMatchObject({ code: 0, stdout: '' });
    const red = await run('build', 'start', 'red', '--wait');
    expect(red.code).toBe(1);
    expect(red.stderr).toContain('Its log: bbx build log red/1 --step 1');
    expect((await run('build', 'watch', 'red/1', '--json')).code).toBe(1);

    // Exactly the bytes, and nothing else.
    const raw = await bytesOf(['build', 'log', 'bytes', '--raw', '--dir', farm.masterDir], farm.dir);
    expect(raw.equals(BYTES)).toBe(true);
    const followed = await bytesOf(['build', 'log', 'bytes/1', '--raw', '-f'], farm.masterDir);
    expect(followed.equals(BYTES)).toBe(true);

    // A reader that goes away is no error, whatever is still to come.
    expect((await run('build', 'start', 'flood', '--wait')).code).toBe(0);
    const pipe = `"${process.execPath}" "${BIN}" build log flood | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const shell = spawn('bash', ['-c', pipe], { cwd: farm.masterDir, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    shell.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    shell.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(shell, 'close');
    expect(said).toMatch(/^=== 0 flood {2}success.*\n0\n$/);

    // A request that nobody takes: why, the time limit, and taking it back.
    const waiting = await run('build', 'start', 'nobody', '--wait-limit', '1s');
    expect(waiting.code).toBe(124);
    const request = /Request (r\d+)/.exec(waiting.stderr)?.[1] ?? '';
    expect((await run('why', request)).stdout).toContain('w1');
    expect((await run('build', 'cancel', request)).code).toBe(0);
    expect((await run('build', 'watch', request)).code).toBe(9);
  });

  it('is followed over a master that is killed and comes back: steps, and every byte once', async () => {
    await using place = await farmWithFiles();
    const { farm, go } = place;
    const { buildrequestid } = await farm.ask<{ buildrequestid: number }>('build', 'start', 'slow');
    const options = { cwd: farm.masterDir };
    await using watcher = startBbx(['build', 'watch', `r${buildrequestid}`], options);
    await watcher.waitFor(/slow\/1/);
    await using reader = startBbx(['build', 'log', 'slow', '-f', '--raw'], options);
    await reader.waitFor(/begin\n/);

    await farm.master.end('SIGKILL');
    await watcher.waitFor(/builds go on, waiting until it is back/);
    await farm.startMaster();
    await watcher.waitFor(/The master is back/);
    await go();

    expect(await watcher.ended).toBe(0);
    expect(watcher.output()).toMatch(/slow\/1 success after/);
    expect(await reader.ended).toBe(0);
    expect(reader.stdout()).toBe('begin\nend\n');
  });
});

describe('run master', () => {
  it('keeps its directory and its port to itself, keeps the old configuration when the new one is bad, ends quickly', async () => {
    await using place = await farmWithFiles();
    const { farm, config } = place;

    // The directory, and the port.
    const twice = await bbx(['run', 'master', farm.masterDir], { cwd: farm.dir });
    expect(twice).toMatchObject({ code: 8 });
    expect(twice.stderr).toContain('another bbx process');
    const other = join(farm.dir, 'other');
    expect((await bbx(['create-master', other, '--listen', farm.address], { cwd: farm.dir })).code).toBe(0);
    const taken = await bbx(['run', 'master', other], { cwd: farm.dir });
    expect(taken).toMatchObject({ code: 8 });
    expect(taken.stderr).toContain(farm.address.split(':').at(-1));

    // SIGHUP.
    await farm.writeConfig(config.replace('title:', 'titel:'));
    farm.master.child.kill('SIGHUP');
    await farm.master.waitFor(/configuration was not applied/);
    const status = await farm.ask<{ title: string; config: { error: string | null } }>('status');
    expect(status).toMatchObject({
      title: 'test farm',
      config: { error: expect.stringContaining('titel') as string },
    });
    await farm.writeConfig(config.replace('test farm', 'other farm'));
    farm.master.child.kill('SIGHUP');
    await until('the new title', async () => (await farm.client.call('status', {})).title === 'other farm');

    // SIGTERM while a build runs: gone within 5 s, exit 0, and the build goes on.
    await farm.ask('build', 'start', 'slow');
    await until('the build', async () => (await farm.client.call('status', {})).running.length === 1);
    const before = performance.now();
    expect(await farm.master.end('SIGTERM')).toBe(0);
    expect(performance.now() - before).toBeLessThan(5_000);
    expect((await farm.run('status')).code).toBe(3);
    await farm.startMaster();
    await place.go();
    expect((await farm.run('build', 'watch', 'slow')).code).toBe(0);
  });

  it('waits for builds with --drain, and stops them at the second signal', async () => {
    await using place = await farmWithFiles();
    const { farm } = place;
    await farm.master.end();
    await using master = startBbx(['run', 'master', farm.masterDir, '--drain'], { cwd: farm.dir });
    expect((await farm.run('status', '--wait', '20s')).code).toBe(0);
    expect((await farm.run('worker', 'show', 'w1', '--wait', 'attached')).code).toBe(0);
    await farm.ask('build', 'start', 'slow');
    await until('the build', async () => (await farm.client.call('status', {})).running.length === 1);
    master.child.kill('SIGTERM');
    await master.waitFor(/Draining/);
    expect((await farm.ask<{ draining: boolean }>('status')).draining).toBe(true);
    // Sooner, it would be taken for a copy of the first.
    await delay(SAME_WISH_MS + 50);
    master.child.kill('SIGTERM');
    expect(await master.ended).toBe(0);
    await farm.startMaster();
    expect((await farm.run('build', 'watch', 'slow')).code).toBe(9);
  });

  it('logs JSON lines when it is asked to', async () => {
    await using temp = await tempDir();
    const made = await bbx(['create-master', 'm', '--listen', '[::1]:0', '--web-listen', '[::1]:0'], {
      cwd: temp.path,
    });
    expect(made.code).toBe(0);
    await using master = startBbx(['run', 'master', 'm', '--log-format', 'json'], { cwd: temp.path });
    await master.waitFor(/bbx status --dir/);
    expect(await master.end('SIGINT')).toBe(0);
    const lines = master
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const line of lines)
      expect(line).toMatchObject({ level: 'info', time: expect.any(String) as string });
    expect(lines.at(-1)?.['message']).toBe('The master has stopped; builds that ran go on at their workers');
  });
});
