import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bbx, startBbx } from '../rigs/bbx.ts';
import { freePort } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';

async function listen(port: number): Promise<Server & AsyncDisposable> {
  const server = createServer((socket) => socket.on('error', () => undefined).end());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const parse = (text: string) =>
  text
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as {
          type: string;
          v: number;
          id?: string;
          finding?: { id: string };
          verdict?: string;
        },
    );

describe('bbx doctor --jsonl', () => {
  it.each([[[]], [['--share']]])('gives a line for each check, then the report %j', async (flags) => {
    await using dir = await tempDir();
    const port = await freePort('127.0.0.1');
    const ran = await bbx(['doctor', 'reach', `127.0.0.1:${port}`, '--jsonl', ...flags], { cwd: dir.path });
    const lines = parse(ran.stdout);
    expect(lines.every(({ v }) => v === 1)).toBe(true);
    expect(lines.at(-1)).toMatchObject({ type: 'report', verdict: 'error' });
    const checks = lines.slice(0, -1);
    expect(checks.every(({ type }) => type === 'check')).toBe(true);
    expect(checks.map(({ id }) => id)).toEqual(expect.arrayContaining(['HST-01', 'PTH-01', 'PTH-04']));
    expect(ran.code).toBe(1);
  });
});

describe('bbx doctor --watch', () => {
  it('tells what clears and appears, and ends at Ctrl-C with the worst that it told', async () => {
    await using dir = await tempDir();
    const port = await freePort('127.0.0.1');
    const args = ['doctor', 'reach', `127.0.0.1:${port}`, '--protocol', 'tcp', '--watch', '--jsonl'];
    await using watching = startBbx(args, { cwd: dir.path });
    await watching.waitFor(/"type":"report"/);
    const server = await listen(port);
    await watching.waitFor(/"type":"cleared"/);
    server.close();
    await watching.waitFor(/"type":"appeared"/);
    expect(await watching.end('SIGINT')).toBe(1);
    const lines = parse(watching.stdout());
    expect(lines.map(({ type }) => type)).toEqual(['report', 'cleared', 'appeared']);
    expect(lines[1]?.finding?.id).toBe('PTH-04');
  });

  it('waits for all to be well with --until-ok, and no longer than it was told', async () => {
    await using dir = await tempDir();
    const port = await freePort('127.0.0.1');
    const args = ['doctor', 'reach', `127.0.0.1:${port}`, '--protocol', 'tcp', '--until-ok'];
    expect((await bbx([...args, '--for', '1s'], { cwd: dir.path })).code).toBe(124);
    await using watching = startBbx(args, { cwd: dir.path });
    await watching.waitFor(/PTH-04/);
    const server = await listen(port);
    expect(await watching.ended).toBe(0);
    expect(watching.stdout()).toMatch(/cleared +error +PTH-04/);
    server.close();
  });

  it('does not go together with --fix', async () => {
    await using dir = await tempDir();
    const ran = await bbx(['doctor', '--watch', '--fix'], { cwd: dir.path });
    expect(ran.code).toBe(2);
  });
});
