import type { Log } from '../../src/base/log.ts';
import { encodeLogFrame } from '../../src/protocol/bbx/codec.ts';
import type { Lease } from '../../src/protocol/bbx/lease.ts';
import { testMaster, type FakeWorker, type TestMaster } from './master.ts';
import { rawWorker, type RawWorker } from './raw-worker.ts';
import { until } from './wait.ts';

const CONFIG = `
lostWorkerGrace: 30s
builders:
  good: { workers: { names: [good] }, steps: [ { name: step, run: make } ] }
  bad: { steps: [ { name: one, run: make }, { name: two, run: make } ] }
`;

/** A master with a good worker that has a build all the time, and as many hostile workers as a test likes. */
export interface HostileFarm extends AsyncDisposable {
  rig: TestMaster;
  good: FakeWorker;
  /** The good worker's build: its log says `hello`. */
  victim: Lease;
  victimLog(): Promise<string>;
  /** What the master has logged. */
  lines: { level: string; text: string }[];
  /** A hostile worker with a build of its own that it has taken. */
  hostile(builder?: string): Promise<{ raw: RawWorker; lease: Lease; name: string }>;
}

export async function hostileFarm(config = ''): Promise<HostileFarm> {
  const lines: { level: string; text: string }[] = [];
  const note =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void lines.push({ level, text: `${message} ${JSON.stringify(fields)}` });
  const log: Log = { debug() {}, info: note('info'), warn: note('warn'), error: note('error') };
  const rig = await testMaster(CONFIG + config, { log });
  const good = await rig.worker('good', { maxBuilds: 1 });
  await rig.client.call('startBuild', { body: { builder: 'good' } });
  const { build, token } = await good.next('assign');
  const victim = { build, token };
  good.send({ type: 'assigned', ...victim, accepted: true });
  const tell = (sequence: number, event: object) =>
    good.send({ type: 'progress', ...victim, sequence, event: event as never });
  tell(1, { type: 'buildStarted', at: 1, workdir: '/w' });
  tell(2, { type: 'stepStarted', at: 1, step: 0, name: 'step' });
  good.send({ type: 'open', ...victim, stream: 1, step: 0, log: 'stdio', offset: 0 });
  good.session.sendLog({ stream: 1, channel: 'stdout', offset: 0, at: 1, payload: Buffer.from('hello\n') });
  let count = 0;
  const farm: HostileFarm = {
    ...{ rig, good, victim, lines },
    async victimLog() {
      const read = { build: String(victim.build), step: '0', log: 'stdio', follow: false };
      return Buffer.concat(await Array.fromAsync(rig.client.log(read))).toString();
    },
    async hostile(builder = 'bad') {
      count += 1;
      const name = `bad${count}`;
      const raw = await rawWorker(rig, name);
      await raw.next('settings');
      await rig.client.call('startBuild', { body: { builder } });
      const assigned = await raw.next('assign');
      const lease = { build: assigned.build, token: assigned.token };
      raw.say({ type: 'assigned', ...lease, accepted: true });
      return { raw, lease, name };
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
  await until('its log is stored', async () => (await farm.victimLog().catch(() => '')) === 'hello\n');
  return farm;
}

/** Begins a build and its first step; gives what tells what follows. */
export function begun(raw: RawWorker, lease: Lease): (sequence: number, event: object) => void {
  const tell = (sequence: number, event: object) => raw.say({ type: 'progress', ...lease, sequence, event });
  tell(1, { type: 'buildStarted', at: 1, workdir: '/w' });
  tell(2, { type: 'stepStarted', at: 1, step: 0, name: 'one' });
  return tell;
}

export function open(raw: RawWorker, lease: Lease, more: object = {}): void {
  raw.say({ type: 'open', ...lease, stream: 1, step: 0, log: 'stdio', offset: 0, ...more });
}

export function frame(raw: RawWorker, offset: number, text = 'x', stream = 1): void {
  raw.socket.sendBinary(
    encodeLogFrame({ stream, channel: 'stdout', offset, at: 1, payload: Buffer.from(text) }),
  );
}

/** The end of a step. */
export function ended(step: number, logs: object[] = []): object {
  return {
    ...{ type: 'stepFinished', at: 3, step, results: 0, state: 'finished', logs },
    ...{ rc: 0, signal: null, properties: {} },
  };
}
