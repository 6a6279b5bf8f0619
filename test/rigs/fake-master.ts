import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FarmEvent } from '../../src/api/objects.ts';
import { STREAMS } from '../../src/api/routes.ts';
import { silentLog } from '../../src/base/log.ts';
import { openControlSocket } from '../../src/runtime/master/http/control.ts';
import { registerRoutes, type Handlers } from '../../src/runtime/master/http/routes.ts';

/** What a test lets the streams say. */
export interface FakeStreams {
  /** Gives the bytes of a log; a promise that never ends keeps the stream open until the master stops. */
  log?: (call: {
    build: string;
    step: string;
    log: string;
    query: Record<string, string | undefined>;
  }) => AsyncIterable<Uint8Array>;
}

/** A master's directory whose control socket answers as a test says, through the master's own door: same table, same errors. */
export interface FakeMaster extends AsyncDisposable {
  readonly dir: string;
  readonly socket: string;
  /** Sends an event to all who listen. */
  emit(event: FarmEvent): void;
  /** `after` of every reader of events so far. */
  readonly asked: (string | undefined)[];
  /** Breaks every open answer and goes away; `start` brings it back. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function fakeMaster(
  dir: string,
  handlers: Partial<Handlers>,
  streams: FakeStreams = {},
): Promise<FakeMaster> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'master.yaml'), 'title: test farm\n');
  const socket = join(dir, 'control.sock');
  const events: { id: number; event: FarmEvent }[] = [];
  const readers = new Set<(line: string) => void>();
  const asked: (string | undefined)[] = [];
  let control: Awaited<ReturnType<typeof openControlSocket>> | undefined;
  const missing = new Proxy(
    {},
    {
      get: (_, name) => () => Promise.reject(new Error(`the test gave no handler for ${String(name)}`)),
    },
  );
  const lines = (id: number, event: FarmEvent) => `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`;

  const fake: FakeMaster = {
    dir,
    socket,
    asked,
    emit(event) {
      const id = events.length + 1;
      events.push({ id, event });
      for (const write of readers) write(lines(id, event));
    },
    async start() {
      control = await openControlSocket({
        path: socket,
        log: silentLog,
        register: (app) => {
          registerRoutes(app, Object.setPrototypeOf({ ...handlers }, missing) as Handlers);
          app.get(STREAMS.events, async (request, reply) => {
            const { after } = request.query as { after?: string };
            asked.push(after);
            reply.hijack();
            const { raw } = reply;
            raw.writeHead(200, { 'content-type': 'text/event-stream' });
            raw.write(': here\n\n');
            const write = (text: string) => raw.write(text);
            for (const { id, event } of events)
              if (after !== undefined && id > Number(after)) write(lines(id, event));
            readers.add(write);
            await once(raw, 'close');
            readers.delete(write);
          });
          app.get(STREAMS.log, async (request, reply) => {
            const call = request.params as { build: string; step: string; log: string };
            const query = request.query as Record<string, string | undefined>;
            reply.hijack();
            const { raw } = reply;
            raw.writeHead(200, { 'content-type': 'application/octet-stream' });
            for await (const bytes of streams.log?.({ ...call, query }) ?? []) {
              if (raw.destroyed) return;
              if (!raw.write(bytes)) await Promise.race([once(raw, 'drain'), once(raw, 'close')]);
            }
            raw.end();
          });
        },
      });
    },
    async stop() {
      await control?.close();
      control = undefined;
    },
    [Symbol.asyncDispose]: () => fake.stop(),
  };
  await fake.start();
  return fake;
}
