import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { httpStatusOf } from '../../../src/api/error-answer.ts';
import { pieceLine } from '../../../src/api/log-pieces.ts';
import type { FarmEvent } from '../../../src/api/objects.ts';
import { BbxError } from '../../../src/base/error.ts';
import { EXIT, type ExitCode } from '../../../src/base/exit.ts';
import { openClient, type Client } from '../../../src/client/client.ts';
import { aBuild, aRequest, aStatus, aStep } from '../../rigs/api-objects.ts';
import { fakeMaster } from '../../rigs/fake-master.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { until } from '../../rigs/wait.ts';

const named = (code: string, exit: ExitCode) =>
  new BbxError({ code, message: 'Cannot do "it": no', hint: 'do another', exit, retryable: true });

async function withClient<T>(socket: string, act: (client: Client) => Promise<T>): Promise<T> {
  await using client = openClient({ socket, dir: '/farm' });
  return await act(client);
}

describe('a call', () => {
  it('sends params, query and body as the table of routes has them', async () => {
    await using temp = await tempDir();
    const calls: unknown[] = [];
    await using master = await fakeMaster(temp.path, {
      build: async (call) => (calls.push(call), aBuild()),
      builds: async (call) => (calls.push(call), []),
      startBuild: async (call) => (calls.push(call), aRequest()),
    });
    await withClient(master.socket, async (client) => {
      expect(await client.call('build', { params: { build: 'app/12' } })).toEqual(aBuild());
      await client.call('builds', { query: { builder: 'a&b', complete: 'false' } });
      await client.call('startBuild', { body: { builder: 'app', properties: { a: 'b' } } });
    });
    expect(calls).toMatchObject([
      { params: { build: 'app/12' } },
      { query: { builder: 'a&b', complete: false, limit: 50 } },
      { body: { builder: 'app', reason: 'forced', properties: { a: 'b' } } },
    ]);
  });

  it.each(Object.entries(EXIT).filter(([, exit]) => httpStatusOf(exit) >= 400))(
    'that the master refuses ends with its own words and its exit code: %s',
    async (name, exit) => {
      await using temp = await tempDir();
      await using master = await fakeMaster(temp.path, {
        status: () => Promise.reject(named(`BBX-TEST-${name}`, exit)),
      });
      await withClient(master.socket, async (client) => {
        await expect(client.call('status', {})).rejects.toMatchObject({
          code: `BBX-TEST-${name}`,
          exit,
          message: 'Cannot do "it": no',
          hint: 'do another',
          retryable: true,
        });
      });
    },
  );

  it('to nobody says how to start a master, with exit 3', async () => {
    await using temp = await tempDir();
    const missing = join(temp.path, 'control.sock');
    const expected = { code: 'BBX-API-UNREACHABLE', exit: 3, hint: 'Start it: bbx run master /farm' };
    await withClient(missing, (client) => expect(client.call('status', {})).rejects.toMatchObject(expected));
    const { stop } = await fakeMaster(temp.path, {});
    await stop();
    await writeFile(missing, '');
    await withClient(missing, (client) => expect(client.call('status', {})).rejects.toMatchObject(expected));
  });

  it('has a time limit', async () => {
    await using temp = await tempDir();
    await using master = await fakeMaster(temp.path, { status: () => new Promise(() => undefined) });
    await withClient(master.socket, (client) =>
      expect(client.call('status', {}, { timeoutMs: 50 })).rejects.toMatchObject({
        code: 'BBX-API-SILENT',
        exit: 3,
      }),
    );
  });

  it('ends with the reason of its signal', async () => {
    await using temp = await tempDir();
    await using master = await fakeMaster(temp.path, { status: () => new Promise(() => undefined) });
    const reason = new Error('enough');
    const stop = new AbortController();
    await withClient(master.socket, async (client) => {
      const call = client.call('status', {}, { signal: stop.signal });
      stop.abort(reason);
      await expect(call).rejects.toBe(reason);
    });
  });

  it.each([
    ['not JSON', '<html>', 'it is not JSON'],
    ['without a field', JSON.stringify({ ...aStatus(), title: undefined }), 'title'],
  ])('refuses an answer that is %s', async (_, text, problem) => {
    await using temp = await tempDir();
    const socket = join(temp.path, 's');
    const server = createServer((_request, response) => response.end(text)).listen(socket);
    await once(server, 'listening');
    await withClient(socket, (client) =>
      expect(client.call('status', {})).rejects.toThrow(expect.objectContaining({ code: 'BBX-API-ANSWER' })),
    );
    await withClient(socket, (client) => expect(client.call('status', {})).rejects.toThrow(problem));
    server.close();
  });
});

describe('events', () => {
  it('come once each, over a broken connection', async () => {
    await using temp = await tempDir();
    await using master = await fakeMaster(temp.path, {});
    const stop = new AbortController();
    const seen: number[] = [];
    await withClient(master.socket, async (client) => {
      const reading = (async () => {
        for await (const { id } of client.events({ signal: stop.signal })) seen.push(id);
      })();
      const event: FarmEvent = { type: 'config.applied', changes: [] };
      await until('the reader', () => master.asked.length === 1);
      master.emit(event);
      await until('the first event', () => seen.length === 1);
      await master.stop();
      master.emit(event);
      await master.start();
      await until('the missed event', () => seen.length === 2);
      master.emit(event);
      await until('the third event', () => seen.length === 3);
      stop.abort();
      await reading;
    });
    expect(seen).toEqual([1, 2, 3]);
    expect(master.asked).toEqual([undefined, '1']);
  });
});

describe('a followed log', () => {
  it.each(['all', 'output'] as const)('gives every byte once over a restart: %s', async (channels) => {
    await using temp = await tempDir();
    const whole = Buffer.from('0123456789abcdef');
    let turn = 0;
    const gone = Promise.withResolvers<void>();
    await using master = await fakeMaster(
      temp.path,
      { step: async () => aStep() },
      {
        async *log({ query }) {
          const from = Number(query['offset'] ?? 0);
          turn += 1;
          if (turn === 1) {
            yield whole.subarray(from, 10);
            await gone.promise;
          } else yield whole.subarray(from);
        },
      },
    );
    await withClient(master.socket, async (client) => {
      const got: Uint8Array[] = [];
      const reading = (async () => {
        const log = client.log({ build: '1', step: '0', log: 'stdio', follow: true, channels });
        for await (const bytes of log) got.push(bytes);
      })();
      await until('the first bytes', () => got.length > 0);
      await master.stop();
      await master.start();
      await reading;
      gone.resolve();
      expect(Buffer.concat(got).toString()).toBe(whole.toString());
    });
  });

  it('gives pieces over a break, each once, a hole that it broke in as one, and last where the log breaks off', async () => {
    await using temp = await tempDir();
    const piece = (offset: number, text: string) =>
      Buffer.concat([pieceLine({ offset, at: 1, channel: 'stdout', bytes: text.length }), Buffer.from(text)]);
    const hole = (offset: number, lost: number) => pieceLine({ offset, at: 1, lost, cause: 'disk' });
    const breaksOff = (offset: number) =>
      pieceLine({ offset, at: 1, lost: null, cause: 'worker', why: 'worker "w1" was lost' });
    const turns = [
      [piece(0, 'one'), hole(3, 4)],
      [hole(7, 5), piece(12, 'two'), hole(15, 1), breaksOff(16)],
      // The answer broke behind it.
      [breaksOff(16)],
    ];
    const [log] = aStep().logs;
    const asked: unknown[] = [];
    await using master = await fakeMaster(
      temp.path,
      { step: async () => aStep({ logs: [{ ...log!, complete: turns.length === 0 }] }) },
      {
        async *log({ query }) {
          asked.push(query['offset']);
          yield* turns.shift() ?? [];
        },
      },
    );
    await withClient(master.socket, async (client) => {
      const pieces = client.pieces({ build: '1', step: '0', log: 'stdio', follow: true });
      const got = (await Array.fromAsync(pieces)).map((piece) =>
        'lost' in piece ? [piece.offset, piece.lost] : [piece.offset, Buffer.from(piece.data).toString()],
      );
      expect(got).toEqual([
        [0, 'one'],
        [3, 9],
        [12, 'two'],
        [15, 1],
        [16, null],
      ]);
    });
    expect(asked).toEqual([undefined, '7', '16']);
  });

  it('does not take the good order of a stopping master for the end of the log', async () => {
    await using temp = await tempDir();
    const [log] = aStep().logs;
    let complete = false;
    await using master = await fakeMaster(
      temp.path,
      { step: async () => aStep({ logs: [{ ...log!, complete }] }) },
      {
        async *log({ query }) {
          const from = Number(query['offset'] ?? 0);
          complete = from > 0;
          yield Buffer.from('half whole'.slice(from, complete ? undefined : 5));
        },
      },
    );
    await withClient(master.socket, async (client) => {
      const got: Uint8Array[] = [];
      for await (const bytes of client.log({ build: '1', step: '0', log: 'stdio', follow: true }))
        got.push(bytes);
      expect(Buffer.concat(got).toString()).toBe('half whole');
    });
  });
});
