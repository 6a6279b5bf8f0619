import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import type { Log } from '../../src/base/log.ts';
import { masterLayout } from '../../src/config/layout.ts';
import { fakeWorker, testMaster } from '../rigs/master.ts';

/** Holds up what is made for the web port, so that a worker comes before that fails. */
const web = vi.hoisted(() => ({ gate: undefined as Promise<void> | undefined }));
vi.mock('../../src/runtime/master/http/app.ts', async (original) => {
  const { createApp } = await original<typeof import('../../src/runtime/master/http/app.ts')>();
  return {
    createApp: async (...options: Parameters<typeof createApp>) => {
      await web.gate;
      return createApp(...options);
    },
  };
});

const CONFIG = 'builders: { app: { steps: [ { name: step, run: make } ] } }\n';

it('a start that fails at its web port says goodbye to workers that came before', async () => {
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const log: Log = { debug: () => undefined, info: () => undefined, warn: say, error: say };
  await using rig = await testMaster(CONFIG, { log });
  const before = await rig.worker('w1');
  await rig.client.call('startBuild', { body: { builder: 'app' } });
  const { build, token } = await before.next('assign');
  before.send({ type: 'assigned', build, token, accepted: true });
  const { epoch } = before.session.greeting;
  const address = rig.master.bound.workers[0]!;
  await rig.stop();

  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const open = Promise.withResolvers<void>();
  try {
    const held = `127.0.0.1:${(holder.address() as AddressInfo).port}`;
    await writeFile(
      masterLayout(rig.dir).configYaml,
      `listen: { workers: "${address}", web: "${held}" }\n${CONFIG}`,
    );
    web.gate = open.promise;
    const started = rig.start().then(
      () => undefined,
      (error: unknown) => error,
    );
    const back = await vi.waitFor(
      () =>
        fakeWorker({
          ...{ name: 'w1', key: before.key, address },
          builds: [{ build, token, epoch, state: 'running' }],
        }),
      10_000,
    );
    open.resolve();
    expect(await started).toMatchObject({ code: 'BBX-NET-IN-USE' });
    await back.session.end;
    expect(back.got.at(-1)).toMatchObject({ type: 'bye', reason: 'stopping' });
    // The build goes on at its worker: that it is away is no news, and nothing waits for it here.
    expect(said).toEqual([]);
  } finally {
    web.gate = undefined;
    open.resolve();
    holder.close();
  }
});
