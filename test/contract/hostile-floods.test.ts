import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ended, hostileFarm, type HostileFarm } from '../rigs/hostile-farm.ts';
import { heldMb } from '../rigs/heap.ts';
import type { RawWorker } from '../rigs/raw-worker.ts';
import { until } from '../rigs/wait.ts';
import { encodeLogFrame } from '../../src/protocol/bbx/codec.ts';
import type { Lease } from '../../src/protocol/bbx/lease.ts';

const STEPS = 30;
const CONFIG = `
  long: { steps: [ ${Array.from({ length: STEPS }, (_, n) => `{ name: s${n}, run: make }`).join(', ')} ] }
`;
/** What the rows, logs and words of one flood may leave in the master: it was sent many times as much. */
const GROWTH_MB = 24;
const MIB = 1024 * 1024;
/** A busy machine is no failure of what is tested. */
const PATIENCE_MS = 60_000;

let farm: HostileFarm;
beforeAll(async () => {
  farm = await hostileFarm(CONFIG);
}, PATIENCE_MS);
afterAll(() => farm[Symbol.asyncDispose](), PATIENCE_MS);

/** Of nothing: what is said of it is answered once with `drop`. */
const GHOST = { build: 999_999, token: `1-${'9'.repeat(16)}` };
/** What a test's own socket holds at most. */
const UNSENT = 2 * MIB;
/** So long it is given to hold nothing, before memory is looked at. */
const LOOK_MS = 1_000;
/** What is held is looked at after so many bytes. */
const LOOK_EVERY = 20 * MIB;

type Message = object | Uint8Array;

/** Sends it all as fast as the master reads, until it closes; gives the most that was held meanwhile, MB. */
async function flood(raw: RawWorker, messages: Iterable<Message>, lookEvery = LOOK_EVERY): Promise<number> {
  let isOver = false;
  void raw.end.then(() => (isOver = true));
  let most = 0;
  let sinceLook = 0;
  const left = messages[Symbol.iterator]();
  /** Apart, so that nothing of a message is held here when memory is looked at: this end of the line is in the same process. */
  const sendNext = (): number | undefined => {
    const { value: message, done } = left.next();
    if (done === true) return undefined;
    const bytes = message instanceof Uint8Array ? message : Buffer.from(JSON.stringify(message));
    if (message instanceof Uint8Array) raw.socket.sendBinary(message);
    else raw.socket.sendText(bytes.toString());
    return bytes.length;
  };
  const sentBut = async (bytes: number, limitMs = Infinity) => {
    const end = performance.now() + limitMs;
    while (raw.socket.unsent > bytes && !isOver && performance.now() < end)
      await new Promise((resolve) => setTimeout(resolve, 1));
  };
  for (let sent = sendNext(); sent !== undefined; sent = sendNext()) {
    await sentBut(UNSENT);
    if (isOver) break;
    sinceLook += sent;
    if (sinceLook < lookEvery) continue;
    sinceLook = 0;
    await sentBut(0, LOOK_MS);
    most = Math.max(most, heldMb());
  }
  const answer = () =>
    raw.got.some(({ type, ...rest }) => type === 'drop' && 'build' in rest && rest.build === GHOST.build);
  raw.say({ type: 'progress', ...GHOST, sequence: 1, event: { type: 'buildStarted', at: 1, workdir: '' } });
  await until('the answer to the last word', () => isOver || answer(), PATIENCE_MS);
  return lookEvery === Infinity ? 0 : Math.max(most, heldMb());
}

const record = (number: number) => ({
  ...{ number, boot: 'b', at: 1, ago: 1 },
  fact: { kind: 'failed', target: '💥'.repeat(150), code: 'X', got: '💥'.repeat(150), times: 1 },
});
const way = {
  ...{ target: 'x'.repeat(300), host: 'x'.repeat(300), port: 1, behindHops: false, lookups: [], raced: null },
  addresses: [],
};
const times = <Value>(count: number, make: (index: number) => Value) =>
  Array.from({ length: count }, (_, index) => make(index));
const tell = (lease: Lease, sequence: number, event: object) => ({
  ...{ type: 'progress', ...lease, sequence, event },
});
const beginning = (lease: Lease, workdir = '/w') => tell(lease, 1, { type: 'buildStarted', at: 1, workdir });
const stepBegins = (lease: Lease, step: number, name = 'x') =>
  tell(lease, 2 + 2 * step, { type: 'stepStarted', at: 1, step, name });

/** Made one by one: what waits to be sent is not what the master holds. */
const FLOODS: [string, (lease: Lease) => Iterable<Message>][] = [
  [
    'tells history by the megabyte',
    function* () {
      for (let page = 0; page < 50; page += 1)
        yield { type: 'history', records: times(100, (index) => record(page * 100 + index + 1)) };
    },
  ],
  [
    'answers questions that nobody asked',
    function* () {
      for (let id = 0; id < 300; id += 1)
        yield { type: 'dialled', id, ways: [way], places: times(32, () => way) };
    },
  ],
  [
    'says again and again that it has accepted, and then that it has not',
    function* (lease) {
      yield* times(1_000, () => ({ type: 'assigned', ...lease, accepted: true }));
      yield beginning(lease);
      yield* times(1_000, () => ({ type: 'assigned', ...lease, accepted: false, why: 'x'.repeat(1_000) }));
    },
  ],
  [
    'writes a byte into each of a thousand logs',
    function* (lease) {
      yield beginning(lease);
      yield stepBegins(lease, 0);
      for (let stream = 0; stream < 1_000; stream += 1) {
        yield { type: 'open', ...lease, stream, step: 0, log: `l${stream}`, offset: 0 };
        yield encodeLogFrame({ stream, channel: 'stdout', offset: 0, at: 1, payload: Buffer.from('x') });
      }
    },
  ],
  [
    'ends its steps with properties by the megabyte',
    function* (lease) {
      yield beginning(lease);
      for (let step = 0; step < STEPS; step += 1) {
        const more = times(30, (n) => [`p${step}-${n}`, 'x'.repeat(100_000)]);
        yield stepBegins(lease, step);
        yield tell(lease, 3 + 2 * step, { ...ended(step), properties: Object.fromEntries(more) as object });
      }
    },
  ],
  [
    'says by the megabyte how its steps end',
    function* (lease) {
      yield beginning(lease);
      for (let step = 0; step < STEPS; step += 1) {
        yield stepBegins(lease, step);
        yield tell(lease, 3 + 2 * step, { ...ended(step), state: 'x'.repeat(3 * MIB) });
      }
    },
  ],
  [
    'gives its steps names of a megabyte',
    function* (lease) {
      yield beginning(lease);
      for (let step = 0; step < STEPS; step += 1) {
        yield stepBegins(lease, step, 'x'.repeat(MIB));
        yield tell(lease, 3 + 2 * step, ended(step));
      }
    },
  ],
];

describe('a flood', () => {
  it.each(FLOODS)('by a worker that %s fills nothing', async (_, words) => {
    const { raw, lease } = await farm.hostile('long');
    const before = heldMb();
    const most = await flood(raw, words(lease));
    raw.leave();
    await raw.end;
    expect(most - before).toBeLessThan(GROWTH_MB);
    expect(await farm.victimLog()).toBe('hello\n');
  });

  it('of all of them at once does not change a build of another worker, nor its log', async () => {
    const { rig, good, victim } = farm;
    const hostile = await Promise.all(FLOODS.map(() => farm.hostile('long')));
    const text = Array.from({ length: 100_000 }, (_, n) => `line ${n}\n`).join('');
    const bytes = Buffer.from(text);
    const floods = FLOODS.map(([, words], index) =>
      flood(hostile[index]!.raw, words(hostile[index]!.lease), Infinity),
    );
    for (let at = 0; at < bytes.length; at += 60_013) {
      const payload = bytes.subarray(at, at + 60_013);
      good.session.sendLog({ stream: 1, channel: 'stdout', offset: 6 + at, at: 1, payload });
      await good.session.drained();
    }
    const whole = Buffer.concat([Buffer.from('hello\n'), bytes]);
    const sha256 = createHash('sha256').update(whole).digest('hex');
    const logs = [{ name: 'stdio', bytes: whole.length, sha256 }];
    good.send({ type: 'progress', ...victim, sequence: 3, event: ended(0, logs) as never });
    const end = { type: 'buildFinished', at: 4, results: 0, state: 'build successful' } as const;
    good.send({ type: 'progress', ...victim, sequence: 4, event: end });
    const found = await until(
      'the end of the build',
      async () => {
        const build = await rig.client.call('build', { params: { build: String(victim.build) } });
        return build.complete ? build : undefined;
      },
      PATIENCE_MS,
    );
    expect(found).toMatchObject({ worker: 'good', results: 0 });
    await Promise.all(floods);
    expect((await farm.victimLog()) === whole.toString()).toBe(true);
    expect(good.ended).toBe(false);
    for (const { raw } of hostile) raw.leave();
  });
});
