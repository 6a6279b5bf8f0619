import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLinkEnds } from '../../../src/diagnostics/doors/link-ends.ts';
import { readHealth } from '../../../src/diagnostics/doors/web-health.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { program } from './recorded.ts';

const line = (at: number, fact: object) =>
  `${JSON.stringify({ n: 1, boot: 'b', at, host: 'h', up: 1, fact })}\n`;
const up = (at: number) =>
  line(at, { kind: 'up', target: 't', peer: 'p', local: 'l', seen: 's', session: 's', ms: 1 });
const down = (at: number, code: number) =>
  line(at, {
    kind: 'down',
    session: 's',
    by: 'master',
    code,
    reason: 'replaced',
    silentMs: 0,
    lastedMs: 1,
  });
const failed = (at: number, code: string) =>
  line(at, { kind: 'failed', target: 't', code, got: 'two of them', times: 1 });

async function endsOf(text: string | undefined) {
  await using dir = await tempDir();
  if (text !== undefined) {
    await mkdir(join(dir.path, '.bbx'));
    await writeFile(join(dir.path, '.bbx/link.jsonl'), text);
  }
  return readLinkEnds(program({ dir: dir.path }));
}

describe("a worker's history of its link", () => {
  it('tells who took its name, and when it was let in last', async () => {
    const text = up(10) + down(20, 4002) + up(30) + down(40, 1001) + failed(50, 'BBX-PRO-ALTERNATING');
    expect(await endsOf(text + failed(60, 'BBX-NET-UNREACHABLE') + '{"told":4}\n')).toMatchObject({
      readable: true,
      upAt: 30_000,
      takings: [
        { at: 20_000, kind: 'replaced' },
        { at: 50_000, kind: 'refused', words: 'two of them' },
      ],
    });
  });

  it('is read past lines that are none, and from a file of any length', async () => {
    const rubbish = 'x'.repeat(1_000_000);
    expect(await endsOf(`${down(1, 4002)}${rubbish}\n{"at":\n${down(2, 4002)}null\n[]\n`)).toMatchObject({
      readable: true,
      takings: [{ at: 2_000 }],
    });
  });

  it('is none where the worker never ran', async () => {
    expect(await endsOf(undefined)).toMatchObject({ readable: false, takings: [], upAt: null });
  });
});

describe('what a web port says of itself', () => {
  const ok = '{"status":"ok"}';
  const answer =
    (body: string, status = '200 OK') =>
    (socket: Socket) =>
      socket.once('data', () => socket.end(`HTTP/1.1 ${status}\r\nContent-Type: x\r\n\r\n${body}`));
  it.each<[string, (socket: Socket) => unknown, { exact: boolean; status: number | null }]>([
    ['is well', answer(ok), { exact: true, status: 200 }],
    ['is another page', answer('hello'), { exact: false, status: 200 }],
    ['is well, and more', answer(`${ok}<script>`), { exact: false, status: 200 }],
    ['is well with another status', answer(ok, '503 Busy'), { exact: false, status: 503 }],
    ['is no HTTP', (socket) => socket.end('SSH-2.0-x\r\n'), { exact: false, status: null }],
    ['is nothing', (socket) => socket.end(), { exact: false, status: null }],
    ['is a reset', (socket) => socket.resetAndDestroy(), { exact: false, status: null }],
    [
      'never ends',
      (socket) => {
        const pour = () => void (!socket.destroyed && socket.write(Buffer.alloc(4_096, 'x'), pour));
        pour();
      },
      { exact: false, status: null },
    ],
  ])('%s', async (_, serve, expected) => {
    const server = createServer((socket) => void serve(socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const got = await readHealth('127.0.0.1', port, new AbortController().signal);
      expect(got).toMatchObject({ address: '127.0.0.1', family: 4, ...expected });
      expect(got.said.length).toBeLessThanOrEqual(120);
    } finally {
      server.close();
    }
  });
});
