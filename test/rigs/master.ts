import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { aborted } from '../../src/base/abort.ts';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import { silentLog, type Log } from '../../src/base/log.ts';
import { openClient, type Client } from '../../src/client/client.ts';
import { masterLayout } from '../../src/config/layout.ts';
import { loadMaster } from '../../src/config/master.ts';
import { dial } from '../../src/net/dial.ts';
import { parseAddress } from '../../src/net/endpoint/address.ts';
import { createFarmKey, selfSignedCertificate } from '../../src/net/tls/certificate.ts';
import { openWebSocket } from '../../src/net/web-socket.ts';
import {
  createWorkerKey,
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  type SigningKey,
} from '../../src/protocol/bbx/keys.ts';
import type { MasterMessage, MessageOf, WorkerMessage } from '../../src/protocol/bbx/messages.ts';
import { greetMaster, type WorkerSession } from '../../src/protocol/bbx/worker-session.ts';
import { parseJoin } from '../../src/protocol/bbx/join.ts';
import { startMaster, type Master } from '../../src/runtime/master/start.ts';
import { tempDir } from './temp-dir.ts';

/** A master in this process, with its API, in a temporary directory. */
export interface TestMaster extends AsyncDisposable {
  readonly dir: string;
  master: Master;
  client: Client;
  /** Writes `master.yaml` less `listen`, and does nothing else. */
  configure(config: string): Promise<void>;
  /** Stops it, and starts it again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Invites a worker of that name and lets it in, with a session that the test drives. */
  worker(name: string, options?: Partial<FakeOptions>): Promise<FakeWorker>;
}

export async function testMaster(
  config: string,
  options: { log?: Log; clock?: Clock; diagnose?: Parameters<typeof startMaster>[1]['diagnose'] } = {},
): Promise<TestMaster> {
  const temp = await tempDir();
  const dir = join(temp.path, 'm');
  const layout = masterLayout(dir);
  await mkdir(dirname(layout.key), { recursive: true });
  const pem = createFarmKey();
  await writeFile(layout.key, pem, { mode: 0o600 });
  await writeFile(layout.certificate, selfSignedCertificate(pem));
  const reloadConfig = async () => (await loadMaster(dir)).config;
  let port = 0;
  let fakes: FakeWorker[] = [];

  const rig: TestMaster = {
    dir,
    master: undefined as never,
    client: undefined as never,
    async configure(text) {
      const listen = `listen: { workers: "127.0.0.1:${port}", web: "127.0.0.1:0" }\n`;
      await writeFile(layout.configYaml, listen + text);
    },
    async start() {
      rig.master = await startMaster(await reloadConfig(), {
        dir,
        version: '0.0.0',
        file: layout.configYaml,
        clock: options.clock ?? systemClock,
        random: Math.random,
        log: options.log ?? silentLog,
        env: process.env,
        reloadConfig,
        diagnose: options.diagnose,
      });
      rig.client = openClient({ socket: rig.master.controlSocket, dir });
    },
    async stop() {
      await rig.client.close();
      await rig.master.stop();
    },
    async restart() {
      port = Number(rig.master.bound.workers[0]?.split(':').at(-1));
      await rig.stop();
      await rig.configure(config);
      await rig.start();
    },
    async worker(name, more = {}) {
      const { join: text } = await rig.client.call('addWorker', {
        body: { names: name, expiresMs: 60_000 },
      });
      const { secret, pins } = parseJoin(text);
      const address = rig.master.bound.workers[0]!;
      const fake = await fakeWorker({ name, address, pins, secret: secret.reveal(), ...more });
      fakes.push(fake);
      return fake;
    },
    async [Symbol.asyncDispose]() {
      for (const fake of fakes) fake.leave();
      fakes = [];
      await rig.stop();
      await temp[Symbol.asyncDispose]();
    },
  };
  await rig.configure(config);
  await rig.start();
  return rig;
}

export interface FakeOptions {
  name: string;
  address: string;
  pins: readonly string[];
  key: SigningKey;
  boot: string;
  secret: string | undefined;
  maxBuilds: number;
  facts: Record<string, string>;
  /** Builds that it says it still has. */
  builds: MessageOf<WorkerMessage, 'inventory'>['builds'];
  draining: boolean;
  /** Hears of everything that the master sends, at once. */
  onMessage: (message: MasterMessage) => void;
}

/** A worker's end of a real TLS session, driven by the test. */
export interface FakeWorker {
  readonly key: SigningKey;
  readonly session: WorkerSession;
  /** Everything that the master has sent. */
  readonly got: MasterMessage[];
  /** The next message of a type that was not taken before. */
  next<Type extends MasterMessage['type']>(type: Type): Promise<MessageOf<MasterMessage, Type>>;
  send(message: WorkerMessage): void;
  /** Accepts an assignment and tells a whole build of one step, whose log is `text`. */
  build(
    assign: MessageOf<MasterMessage, 'assign'>,
    text?: string,
    results?: number,
    properties?: Record<string, string>,
  ): void;
  readonly ended: boolean;
  leave(): void;
}

/** Connects and lets itself in; rejects with the refusal. */
export async function fakeWorker(
  options: Partial<FakeOptions> & Pick<FakeOptions, 'name' | 'address'>,
): Promise<FakeWorker> {
  const { name, address, pins = [], key = createWorkerKey().key, maxBuilds = 4, facts = {} } = options;
  const { stream, secured } = await dial(
    { to: parseAddress(address), via: [], tls: pins.length > 0 ? { pins } : { firstContact: true } },
    { signal: AbortSignal.timeout(10_000) },
  );
  const socket = await openWebSocket(stream, { target: address, protocol: 'bbx.worker.v1' });
  const greeted = await greetMaster({
    socket,
    peer: address,
    exporter: secured!.exporter(EXPORTER_LABEL, EXPORTER_BYTES),
    pins,
    software: 'fake',
    clock: systemClock,
  });
  const session = await greeted.authenticate({
    name,
    key,
    boot: options.boot ?? randomBytes(8).toString('hex'),
    secret: options.secret,
  });
  const got: MasterMessage[] = [];
  const fresh: MasterMessage[] = [];
  let wake = Promise.withResolvers<void>();
  session.receive((message) => {
    options.onMessage?.(message);
    got.push(message);
    fresh.push(message);
    wake.resolve();
    wake = Promise.withResolvers();
  });
  session.send({
    type: 'inventory',
    maxBuilds,
    facts,
    draining: options.draining ?? false,
    builds: options.builds ?? [],
  });
  const fake: FakeWorker = {
    key,
    session,
    got,
    async next(type) {
      const limit = AbortSignal.timeout(10_000);
      for (;;) {
        const index = fresh.findIndex((message) => message.type === type);
        if (index >= 0) return fresh.splice(index, 1)[0] as MessageOf<MasterMessage, typeof type>;
        await Promise.race([wake.promise, aborted(limit)]);
      }
    },
    send: (message) => session.send(message),
    build({ build, token }, text = '', results = 0, properties = {}) {
      tellBuild(session, { build, token }, text, results, properties);
    },
    get ended() {
      return session.ended;
    },
    leave: () => session.close(),
  };
  await fake.next('settings');
  return fake;
}

/** Under the largest frame, and aligned to nothing. */
const FRAME = 60_013;

/** A build of one step named `step`, with its log `stdio`, as a worker tells it. */
function tellBuild(
  session: WorkerSession,
  lease: { build: number; token: string },
  text: string,
  results: number,
  properties: Record<string, string>,
) {
  const bytes = Buffer.from(text);
  const stream = lease.build;
  let sequence = 0;
  const tell = (event: MessageOf<WorkerMessage, 'progress'>['event']) =>
    session.send({ type: 'progress', ...lease, sequence: (sequence += 1), event });
  session.send({ type: 'assigned', ...lease, accepted: true });
  tell({ type: 'buildStarted', at: 1, workdir: '/w' });
  tell({ type: 'stepStarted', at: 2, step: 0, name: 'step' });
  if (bytes.length > 0) {
    session.send({ type: 'open', ...lease, stream, step: 0, log: 'stdio', offset: 0 });
    for (let offset = 0; offset < bytes.length; offset += FRAME)
      session.sendLog({
        stream,
        channel: 'stdout',
        offset,
        at: 2,
        payload: bytes.subarray(offset, offset + FRAME),
      });
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  tell({
    type: 'stepFinished',
    at: 3,
    step: 0,
    results,
    state: results === 0 ? 'finished' : 'failed',
    logs: [{ name: 'stdio', bytes: bytes.length, sha256 }],
    rc: results === 0 ? 0 : 1,
    signal: null,
    properties,
  });
  tell({ type: 'buildFinished', at: 4, results, state: results === 0 ? 'build successful' : 'failed step' });
}
