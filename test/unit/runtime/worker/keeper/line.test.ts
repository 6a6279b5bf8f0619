import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLine, LINE_MAX_BYTES } from '../../../../../src/runtime/worker/keeper/line.ts';
import { tempDir } from '../../../../rigs/temp-dir.ts';

function lines() {
  const from = new PassThrough();
  const sent: Buffer[] = [];
  const stream = Duplex.from({
    readable: from,
    writable: new PassThrough().on('data', (chunk: Buffer) => sent.push(chunk)),
  });
  const values: unknown[] = [];
  let ended = 0;
  const line = createLine(stream, { onValue: (value) => values.push(value), onEnd: () => (ended += 1) });
  return { from, sent, values, line, ended: () => ended };
}
const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

it('gives back what was sent, bytes too, wherever the stream is cut into pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ text: fc.string(), bytes: fc.uint8Array() }), { maxLength: 5 }),
      fc.integer({ min: 1, max: 20 }),
      async (given, size) => {
        const out = lines();
        for (const value of given) out.line.send(value);
        await tick();
        const whole = Buffer.concat(out.sent);
        const back = lines();
        for (let at = 0; at < whole.length; at += size) back.from.write(whole.subarray(at, at + size));
        await tick();
        expect(back.values).toEqual(given.map(({ text, bytes }) => ({ text, bytes: Buffer.from(bytes) })));
      },
    ),
    { numRuns: 30 },
  );
});

it('takes words that look like its own for bytes for the words that they are', async () => {
  const given = [{ '"$bytes"': '"$bytes"' }, { a: [null, { b: '{"$bytes":"AA=="}' }, 1] }];
  const out = lines();
  for (const value of given) out.line.send(value);
  await tick();
  const back = lines();
  back.from.write(Buffer.concat(out.sent));
  await tick();
  expect(back.values).toEqual(given);
});

it.each([
  ['a line that is no JSON', Buffer.from('{"half"\n')],
  ['a line that is too long', Buffer.alloc(LINE_MAX_BYTES + 1, 'x')],
])('%s ends it, once', async (_, bytes) => {
  const { from, ended, values } = lines();
  from.write(bytes);
  await tick();
  from.end();
  await tick();
  expect([ended(), values]).toEqual([1, []]);
});

it('has what is sent now with the system at once: a sender that ends in the same turn is heard', async () => {
  await using dir = await tempDir();
  const values: unknown[] = [];
  const server = createServer((socket) =>
    createLine(socket, { onValue: (value) => values.push(value), onEnd: () => server.close() }),
  );
  const path = join(dir.path, 'socket');
  server.listen(path);
  await once(server, 'listening');
  const socket = connect(path);
  await once(socket, 'connect');
  const line = createLine(socket, { onValue: () => undefined, onEnd: () => undefined });
  line.send('earlier', 'later');
  line.send('now', 'now');
  expect(line.unsent).toBe(0);
  line.send('with the others of its turn');
  socket.destroy();
  await once(server, 'close');
  expect(values).toEqual(['earlier', 'now']);
});
