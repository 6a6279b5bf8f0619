import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { spawn, type ChildProcess } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { BIN, bbxOk } from '../rigs/bbx.ts';
import { startFarm } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

/** The program in a place of its own, which takes the Node that starts it for one that is too old, and has another beside it. */
async function programUnderOldNode(dir: string): Promise<string> {
  const root = dirname(dirname(resolve(BIN)));
  await mkdir(join(dir, 'bin'));
  await mkdir(join(dir, 'node_modules', 'node', 'bin'), { recursive: true });
  await symlink(process.execPath, join(dir, 'node_modules', 'node', 'bin', 'node'));
  await symlink(join(root, 'dist'), join(dir, 'dist'));
  await writeFile(join(dir, 'package.json'), '{"type":"module"}');
  const text = await readFile(BIN, 'utf8');
  const old = text.replace(
    'const OLDEST_NODE = 24;',
    'const OLDEST_NODE = process.env.BBX_REEXEC === undefined ? 999 : 24;',
  );
  expect(old).not.toBe(text);
  const bin = join(dir, 'bin', 'bbx');
  await writeFile(bin, old, { mode: 0o755 });
  return bin;
}

function output(child: ChildProcess): () => string {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

it('a master under a Node that is too old ends when the process that was started is killed, and passes signals on', async () => {
  await using dir = await tempDir();
  await mkdir(join(dir.path, 'program'));
  const bin = await programUnderOldNode(join(dir.path, 'program'));
  const master = join(dir.path, 'master');
  await bbxOk(['create-master', master, '--listen', '[::1]:0', '--web-listen', '[::1]:0'], { cwd: dir.path });
  const start = () =>
    spawn(process.execPath, [bin, 'run', 'master', master], { stdio: ['ignore', 'pipe', 'pipe'] });

  const killed = start();
  const first = output(killed);
  await until('the master to run', () => /Ctrl-C|runs in/.test(first()));
  killed.kill('SIGKILL');
  const closed = new Promise((resolve) => killed.once('close', resolve));
  await closed;

  const next = start();
  const second = output(next);
  await until('the next one to run', () => /Ctrl-C|runs in/.test(second()));
  expect(second()).not.toContain('BBX-EXE-LOCKED');
  const ended = new Promise((resolve) => next.once('exit', resolve));
  next.kill('SIGTERM');
  expect(await ended).toBe(0);
});

it('a worker under a Node that is too old ends when the process that was started is killed; the next one adopts its build', async () => {
  await using dir = await tempDir();
  await mkdir(join(dir.path, 'program'));
  const bin = await programUnderOldNode(join(dir.path, 'program'));
  const gate = join(dir.path, 'gate');
  const run = `echo begun; while [ ! -e ${gate} ]; do sleep 0.05; done; echo over`;
  const config = `workers: { w1: {} }\nbuilders: { app: { steps: [ { name: s, run: "${run}" } ] } }\n`;
  await using farm = await startFarm({ workers: ['w1'], config });
  await farm.workers.get('w1')?.end('SIGTERM');
  const start = () =>
    spawn(process.execPath, [bin, 'run', 'worker', join(farm.dir, 'w1')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  const killed = start();
  output(killed);
  await farm.ask('build', 'start', 'app');
  await farm.printed('app', 'begun');
  const closed = new Promise((resolve) => killed.once('close', resolve));
  killed.kill('SIGKILL');
  await closed;

  const next = start();
  const said = output(next);
  await until('the build to be adopted', () => said().includes('goes on: it ran while'));
  expect(said()).not.toContain('BBX-EXE-LOCKED');
  await writeFile(gate, '');
  expect((await farm.run('build', 'watch', 'app/1')).code).toBe(0);
  expect((await farm.run('build', 'log', 'app/1', '--raw')).stdout).toBe('begun\nover\n');
  const whole = (await farm.run('build', 'log', 'app/1')).stdout;
  expect(whole).toMatch(/the worker's process was gone for \d+\.\d s; the command went on/);
  await until('the worker to have told what it did while the link was away', async () =>
    /its steps went on meanwhile \(1 build\)/.test((await farm.run('build', 'show', 'app/1')).stdout),
  );
  const ended = new Promise((resolve) => next.once('exit', resolve));
  next.kill('SIGTERM');
  expect(await ended).toBe(0);
});
