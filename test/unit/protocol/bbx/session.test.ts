import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { createFarmKey } from '../../../../src/net/tls/certificate.ts';
import { encodeLogFrame } from '../../../../src/protocol/bbx/codec.ts';
import type { Dialect } from '../../../../src/protocol/bbx/dialect.ts';
import { createWorkerKey, readSigningKey } from '../../../../src/protocol/bbx/keys.ts';
import { LIMITS } from '../../../../src/protocol/bbx/limits.ts';
import type { SessionEnd } from '../../../../src/protocol/bbx/line.ts';
import { serveMasterSession } from '../../../../src/protocol/bbx/master-session.ts';
import type {
  Decision,
  MasterSession,
  MasterSessionHandlers,
  WorkerClaim,
} from '../../../../src/protocol/bbx/master-contract.ts';
import { CLOSE } from '../../../../src/protocol/bbx/wire.ts';
import { greetMaster } from '../../../../src/protocol/bbx/worker-session.ts';
import type { GreetOptions } from '../../../../src/protocol/bbx/worker-session.ts';
import { memoryWire } from '../../../rigs/memory-wire.ts';
import type { MemorySocket } from '../../../rigs/memory-wire.ts';

const farm = readSigningKey(createFarmKey(), 'farm');
const worker = createWorkerKey().key;
const exporter = Buffer.alloc(32, 7);
const lease = { build: 5, token: `1-${'0'.repeat(16)}` };

/** Both ends over a wire in memory, with everything that arrives written down. */
function setUp(
  options: {
    decide?: (claim: WorkerClaim) => Promise<Decision> | Decision;
    limits?: Partial<typeof LIMITS>;
    handlers?: Partial<MasterSessionHandlers>;
    masterExporter?: Uint8Array;
    masterDialects?: readonly Dialect[];
    greet?: Partial<GreetOptions>;
  } = {},
) {
  const [mine, theirs] = memoryWire();
  const got: unknown[] = [];
  const end = Promise.withResolvers<SessionEnd>();
  const claims: WorkerClaim[] = [];
  const limits = { refusalMs: 20, ...options.limits } as Partial<typeof LIMITS>;
  const note =
    (what: string) =>
    (...args: unknown[]) =>
      void got.push([what, ...args]);
  let session: MasterSession | undefined;
  serveMasterSession({
    socket: theirs,
    peer: 'worker',
    exporter: options.masterExporter ?? exporter,
    key: farm,
    epoch: 'e1',
    software: 'test',
    clock: systemClock,
    limits,
    ...(options.masterDialects === undefined ? {} : { dialects: options.masterDialects }),
    authenticate: async (claim) => {
      claims.push(claim);
      return (await options.decide?.(claim)) ?? { let: 'in', session: 's1', reach: [], pins: [] };
    },
    onRejected: end.resolve,
    accept(own) {
      session = own;
      return {
        onInventory: note('inventory'),
        onAssigned: note('assigned'),
        onProgress: note('progress'),
        onBytes: ({ bytes, ...rest }) =>
          void got.push(['bytes', { ...rest, text: Buffer.from(bytes).toString() }]),
        onState: note('state'),
        onAbandoned: note('abandoned'),
        ...options.handlers,
        onClosed: end.resolve,
      };
    },
  });
  const greet = () =>
    greetMaster({
      socket: mine,
      peer: 'master',
      exporter,
      pins: [farm.fingerprint],
      software: 'test',
      clock: systemClock,
      limits,
      ...options.greet,
    });
  return {
    mine,
    theirs,
    got,
    claims,
    end: end.promise,
    greet,
    get session() {
      return session as MasterSession;
    },
    async letIn() {
      const inside = await (await greet()).authenticate({ name: 'w1', key: worker, boot: 'b1' });
      inside.send({ type: 'inventory', maxBuilds: 1, facts: {}, draining: false, builds: [] });
      await expect.poll(() => got.length).toBeGreaterThan(0);
      got.length = 0;
      return inside;
    },
  };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Takes the last one away and watches whether anybody else has it. */
function lastOf<Value extends object>(values: Value[]): WeakRef<Value> {
  return new WeakRef(values.pop()!);
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (error: { code?: string; exit?: number }) => `${error.code} ${error.exit}`,
  );

describe('a session that was let in', () => {
  it('holds nothing of the claim that let it in: a master has thousands of them', async () => {
    const made = setUp();
    const inside = await made.letIn();
    const claim = lastOf(made.claims);
    await expect
      .poll(() => {
        collect();
        return claim.deref() === undefined;
      })
      .toBe(true);
    expect(made.session.ended).toBe(false);
    inside.close();
  });
});

describe('greeting', () => {
  it.each<[string, Parameters<typeof setUp>[0], string]>([
    [
      'another key than the pinned',
      { greet: { pins: [`sha256:${'B'.repeat(43)}`] } },
      'BBX-PRO-WRONG-MASTER 4',
    ],
    ['TLS that is opened on the way', { masterExporter: Buffer.alloc(32, 8) }, 'BBX-PRO-SIGNATURE 4'],
    [
      'no common version',
      { masterDialects: [{ version: 9, lift: (m) => m, lower: (m) => m }] },
      'BBX-PRO-VERSION 8',
    ],
    ['no pin at all', { greet: { pins: [] } }, 'fine'],
  ])('with %s', async (_, options, expected) => {
    const pair = setUp(options);
    expect(await codeOf(pair.greet())).toBe(expected);
    pair.mine.destroy();
    await pair.end;
  });

  it('says that something else answers when the peer leaves or says nonsense', async () => {
    for (const [act, expected] of [
      [(there: MemorySocket) => there.destroy(), 'BBX-PRO-NOT-BBX 3'],
      [(there: MemorySocket) => there.sendText('220 mail.example ESMTP'), 'BBX-PRO-MALFORMED 11'],
      [(there: MemorySocket) => there.sendBinary(Buffer.from('x')), 'BBX-PRO-MALFORMED 11'],
    ] as const) {
      const [here, there] = memoryWire();
      there.on({ text() {}, binary() {}, alive() {}, drained() {}, closed() {} });
      const greeted = greetMaster({
        socket: here,
        peer: 'm',
        exporter,
        pins: [],
        software: 't',
        clock: systemClock,
      });
      act(there);
      expect(await codeOf(greeted)).toBe(expected);
    }
  });

  it('gives up on a peer that says nothing, and on one that says nothing more', async () => {
    const limits = { authenticationMs: 60 } as unknown as Partial<typeof LIMITS>;
    const [here, there] = memoryWire();
    there.on({ text() {}, binary() {}, alive() {}, drained() {}, closed() {} });
    const greeted = greetMaster({
      socket: here,
      peer: 'm',
      exporter,
      pins: [],
      software: 't',
      clock: systemClock,
      limits,
    });
    expect(await codeOf(greeted)).toBe('BBX-PRO-TOO-SLOW 3');
    const pair = setUp({ limits });
    await pair.greet();
    expect(await pair.end).toMatchObject({ code: CLOSE.tooSlow });
  });

  it('echoes as much as was sent, and refuses to be a drum', async () => {
    const pair = setUp();
    const master = await pair.greet();
    const sizes = [0, 1, 60_000];
    for (const size of sizes) expect(await master.ask.echo(Buffer.alloc(size, 5))).toBeGreaterThanOrEqual(0);
    const results = await Promise.all(
      Array.from({ length: 40 }, () => codeOf(master.ask.echo(Buffer.from('x')))),
    );
    expect(results.filter((result) => result === 'fine').length).toBeLessThanOrEqual(LIMITS.echoBurst);
    expect(results).toContain('BBX-PRO-BUSY 3');
  });
});

describe('authentication', () => {
  it('answers an unknown name, a wrong key and a forged signature alike, and as late', async () => {
    const answers: string[] = [];
    const ask = async (decide: () => Decision) => {
      const pair = setUp({ decide, limits: { refusalMs: 80 } as unknown as Partial<typeof LIMITS> });
      const master = await pair.greet();
      const started = performance.now();
      const code = await codeOf(master.authenticate({ name: 'w1', key: worker, boot: 'b1' }));
      expect(performance.now() - started).toBeGreaterThanOrEqual(75);
      answers.push(`${code} ${String(pair.theirs.sent.at(-1))}`);
    };
    await ask(() => ({ let: 'out', reason: 'unknown' }));
    await ask(() => ({ let: 'out', reason: 'unknown', message: 'the key is another one' }));
    // A claim whose signature is wrong is not even looked up.
    const forged = setUp({ limits: { refusalMs: 80 } as unknown as Partial<typeof LIMITS> });
    const master = await forged.greet();
    const send = forged.mine.sendText.bind(forged.mine);
    forged.mine.sendText = (text) => send(text.replace('"name":"w1"', '"name":"w2"'));
    answers.push(
      `${await codeOf(master.authenticate({ name: 'w1', key: worker, boot: 'b1' }))} ${String(forged.theirs.sent.at(-1))}`,
    );
    expect(forged.claims).toEqual([]);
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^BBX-PRO-REFUSED 4 .*"reason":"identity"/);
  });

  it.each([
    ['pending', 'BBX-PRO-PENDING 4'],
    ['expired', 'BBX-PRO-REFUSED 4'],
    ['alternating', 'BBX-PRO-ALTERNATING 8'],
    ['busy', 'BBX-PRO-BUSY 3'],
    ['removed', 'BBX-PRO-REMOVED 5'],
  ] as const)('refused as %s is an error with its own code', async (reason, expected) => {
    const pair = setUp({ decide: () => ({ let: 'out', reason, retryAfter: 3 }) });
    const master = await pair.greet();
    expect(await codeOf(master.authenticate({ name: 'w1', key: worker, boot: 'b' }))).toBe(expected);
    expect(await pair.end).toMatchObject({ code: CLOSE.refused });
  });

  it('as a probe is answered and takes no session', async () => {
    const pair = setUp();
    const master = await pair.greet();
    const probed = await master.authenticate({ name: 'w1', key: worker, boot: 'b', probe: true });
    expect(await probed.end).toMatchObject({ code: CLOSE.normal });
    expect(pair.claims[0]).toMatchObject({ probe: true, fingerprint: worker.fingerprint });
    expect(pair.session).toBeUndefined();
  });
});

describe('a session', () => {
  it('serves a worker that is one version behind, in its words', async () => {
    // In this made-up version 1 the inventory's maxBuilds is called slots, and there is no settings message.
    const old: Dialect = {
      version: 1,
      lift: (message) => {
        const { slots, ...rest } = message as { slots?: number };
        return slots === undefined ? rest : { ...rest, maxBuilds: slots };
      },
      lower: (message) => ((message as { type: string }).type === 'settings' ? null : message),
    };
    const pair = setUp({ masterDialects: [{ version: 2, lift: (m) => m, lower: (m) => m }, old] });
    const session = await (await pair.greet()).authenticate({ name: 'w1', key: worker, boot: 'b' });
    pair.mine.sendText('{"type":"inventory","slots":3,"facts":{},"draining":false,"builds":[]}');
    await expect.poll(() => pair.got[0]).toMatchObject(['inventory', { maxBuilds: 3 }]);
    const heard: string[] = [];
    session.receive((message) => void heard.push(message.type));
    pair.session.settings({ paused: true, reach: [], pins: [] });
    pair.session.cancel(lease, 'why');
    await expect.poll(() => heard).toEqual(['cancel']);
    session.close();
  });

  it('says nothing of clocks that are further apart than a message can say: the worker comes in without it', async () => {
    const wall = () => -Number.MAX_SAFE_INTEGER;
    const rig = setUp({ greet: { clock: { ...systemClock, wall } } });
    const inside = await (await rig.greet()).authenticate({ name: 'w1', key: worker, boot: 'b1' });
    const { masterClock: clock } = inside;
    inside.send({ type: 'inventory', maxBuilds: 1, facts: {}, draining: false, builds: [], clock });
    await expect.poll(() => rig.got).toMatchObject([['inventory', { maxBuilds: 1 }]]);
    inside.close();
  });

  it('drops what came before and acknowledges it again', async () => {
    const pair = setUp();
    const session = await pair.letIn();
    const acks: unknown[] = [];
    session.receive((message) => void (message.type === 'ack' && acks.push(message)));
    pair.session.resume(lease, { sequence: 1, logs: [{ step: 0, log: 'stdio', bytes: 4 }] });
    session.send({
      type: 'progress',
      ...lease,
      sequence: 1,
      event: { type: 'buildStarted', at: 1, workdir: '/' },
    });
    session.send({
      type: 'progress',
      ...lease,
      sequence: 2,
      event: { type: 'stepStarted', at: 1, step: 0, name: 'a' },
    });
    session.send({ type: 'open', ...lease, stream: 1, step: 0, log: 'stdio', offset: 0 });
    for (const [offset, text] of [
      [0, 'abcd'],
      [2, 'cdef'],
      [6, 'gh'],
    ] as const) {
      session.sendLog({ stream: 1, channel: 'stdout', offset, at: 2, payload: Buffer.from(text) });
    }
    await expect
      .poll(() => pair.got)
      .toMatchObject([
        ['progress', lease, 2, { type: 'stepStarted' }],
        ['bytes', { offset: 4, text: 'ef' }],
        ['bytes', { offset: 6, text: 'gh' }],
      ]);
    // The other direction: what was sent first may come last.
    await expect
      .poll(() => acks)
      .toMatchObject([
        { sequence: 1, streams: [] },
        { sequence: 1, streams: [{ stream: 1, offset: 4 }] },
      ]);
    pair.session.acknowledge(lease, { sequence: 2, logs: [{ step: 0, log: 'stdio', bytes: 8 }] });
    await expect.poll(() => acks.at(-1)).toMatchObject({ sequence: 2, streams: [{ stream: 1, offset: 8 }] });
    session.close();
  });

  it('tells a stranger’s lease once to stop, and takes nothing of it', async () => {
    const pair = setUp();
    const session = await pair.letIn();
    const heard: unknown[] = [];
    session.receive((message) => void heard.push(message));
    const event = { type: 'buildStarted', at: 1, workdir: '/' } as const;
    for (const sequence of [1, 2, 3]) session.send({ type: 'progress', ...lease, sequence, event });
    session.send({ type: 'open', ...lease, stream: 1, step: 0, log: 'stdio', offset: 0 });
    session.sendLog({ stream: 1, channel: 'stdout', offset: 0, at: 1, payload: Buffer.from('x') });
    session.send({ type: 'state', draining: false, notes: [] });
    await expect.poll(() => pair.got.length).toBe(1);
    expect(pair.got[0]).toMatchObject(['state', {}]);
    await expect.poll(() => heard).toMatchObject([{ type: 'drop', ...lease }]);
    session.close();
  });

  const open = { type: 'open', ...lease, stream: 1, step: 0, log: 'stdio', offset: 0 };
  const bytes = (offset: number, length = 1) =>
    encodeLogFrame({ stream: 1, channel: 'stdout', offset, at: 1, payload: Buffer.alloc(length, 65) });
  const event = (sequence: number, more: object = { type: 'buildStarted', at: 1, workdir: '/' }) => ({
    type: 'progress',
    ...lease,
    sequence,
    event: more,
  });
  // Less than a real peer has: what is sent here at once must stay under `backlogBytes`, where the other rule begins.
  const CREDIT_BYTES = 1024 * 1024;
  const stepEnd = { type: 'stepFinished', at: 1, step: 0, results: 0, state: 's', rc: 0, signal: null };
  it.each<[string, (object | Uint8Array | string)[], RegExp]>([
    ['a hole between events', [event(2)], /event 2 of build 5 after event 0/],
    ['a hole between bytes', [open, bytes(0), bytes(5)], /a hole/],
    [
      'bytes beyond the credit',
      [open, ...Array.from({ length: CREDIT_BYTES / 65_536 + 1 }, (_, i) => bytes(i * 65_536, 65_536))],
      /credit/,
    ],
    [
      'events of more bytes than there is credit for',
      [1, 2].map((n) =>
        event(n, {
          ...stepEnd,
          step: n,
          logs: [],
          properties: { a: 'x'.repeat(LIMITS.creditEventBytes / 2) },
        }),
      ),
      /bytes of events than it has credit for/,
    ],
    [
      'a step with a name that no plan has',
      [event(1, { type: 'stepStarted', at: 1, step: 0, name: 'x'.repeat(129) })],
      /cannot be: event.name/,
    ],
    ['a stream twice', [open, open], /stream 1 twice/],
    ['two streams for a log', [open, { ...open, stream: 2 }], /two streams/],
    ['a stream that begins behind the end', [{ ...open, offset: 9 }], /from byte 9/],
    [
      'the end of a step before its bytes',
      [event(1, { ...stepEnd, logs: [{ name: 'stdio', bytes: 3, sha256: '' }] })],
      /3 bytes, after 0/,
    ],
    ['more bytes of a step that has ended', [open, event(1, { ...stepEnd, logs: [] }), bytes(0)], /ended/],
    [
      'an event after the end',
      [event(1, { type: 'buildFinished', at: 1, results: 0, state: 's' }), event(2)],
      /after the end/,
    ],
    ['a second hello', [{ type: 'hello', versions: [1], software: 'x', nonce: '' }], /"hello" where/],
    [
      'a second inventory',
      [{ type: 'inventory', maxBuilds: 1, facts: {}, draining: false, builds: [] }],
      /"inventory" where/,
    ],
    ['text that is not JSON', ['{'], /not JSON/],
    ['a type that nobody knows', [{ type: 'sudo' }], /cannot be/],
    ['a field of the wrong kind', [{ type: 'state', draining: 'yes', notes: [] }], /draining/],
    ['a frame that is none', [Buffer.from('abc')], /a frame of 3 bytes/],
  ])('closes as malformed on %s, and hands over nothing wrong', async (_, messages, words) => {
    const pair = setUp({ limits: { creditBytes: CREDIT_BYTES } as unknown as Partial<typeof LIMITS> });
    await pair.letIn();
    pair.session.resume(lease, { sequence: 0, logs: [] });
    let over = false;
    void pair.end.then(() => (over = true));
    for (const message of messages) {
      if (message instanceof Uint8Array) pair.mine.sendBinary(message);
      else pair.mine.sendText(typeof message === 'string' ? message : JSON.stringify(message));
      // What a worker has waiting beyond its limit ends the session, too; a real one waits before that.
      while (pair.mine.unsent > LIMITS.queueBytes && !over) await turn();
    }
    const end = await pair.end;
    expect(end.code).toBe(CLOSE.malformed);
    expect(end.reason).toMatch(words);
  });

  describe('whose master has no room for a log', () => {
    const open = { type: 'open', ...lease, stream: 1, step: 0, log: 'stdio', offset: 0 } as const;
    const bytes = (offset: number, text: string) =>
      encodeLogFrame({ stream: 1, channel: 'stdout', offset, at: 1, payload: Buffer.from(text) });
    const inventory = { type: 'inventory', maxBuilds: 1, facts: {}, draining: false } as const;
    const log = { step: 0, log: 'stdio' };

    /** Let in by a worker whose messages the test makes itself, with a log of six bytes that came. */
    async function held(
      limits: Partial<typeof LIMITS> = {},
      capabilities = ['pause'],
      handlers: Partial<MasterSessionHandlers> = {},
    ) {
      const rig = setUp({ limits, handlers });
      const inside = await (await rig.greet()).authenticate({ name: 'w1', key: worker, boot: 'b1' });
      const heard: object[] = [];
      inside.receive((message) => void heard.push(message));
      inside.send({ ...inventory, builds: [], capabilities });
      await expect.poll(() => rig.got.length).toBe(1);
      rig.session.resume(lease, { sequence: 0, logs: [] });
      inside.send(open);
      rig.mine.sendBinary(bytes(0, 'abcdef'));
      await expect.poll(() => rig.got.length).toBe(2);
      const texts = () =>
        rig.got.slice(1).map((got) => (got as [string, { offset: number; text: string }])[1]);
      return { ...rig, session: rig.session, inside, heard, texts };
    }
    const paused = { type: 'paused', ...lease, stream: 1 } as const;

    it('hands over nothing of what is on the way, and all of it again from where it goes on', async () => {
      const { session, mine, inside, heard, texts } = await held();
      expect(session.pauseLog(lease, { ...log, from: 4 })).toBe(true);
      mine.sendBinary(bytes(6, 'ghi'));
      await expect.poll(() => heard.at(-1)).toMatchObject({ type: 'pause', stream: 1 });
      // There is room before the worker has answered: it is told behind the answer only.
      session.proceedLog(lease, log);
      inside.send(paused);
      await expect.poll(() => heard.at(-1)).toMatchObject({ type: 'proceed', stream: 1, offset: 4 });
      mine.sendBinary(bytes(4, 'efghi'));
      await expect.poll(() => texts().length).toBe(2);
      expect(texts()).toMatchObject([
        { offset: 0, text: 'abcdef' },
        { offset: 4, text: 'efghi' },
      ]);
    });

    it('takes the end of the step before its bytes, and no byte more than it counts', async () => {
      const { session, mine, inside, end, heard, texts } = await held();
      session.pauseLog(lease, { ...log, from: 0 });
      mine.sendBinary(bytes(6, 'ghi'));
      const at = { at: 1 };
      inside.send({
        type: 'progress',
        ...lease,
        sequence: 1,
        event: { type: 'buildStarted', ...at, workdir: '/' },
      });
      const logs = [{ name: 'stdio', bytes: 9, sha256: '' }];
      const finished = { type: 'stepFinished', ...at, step: 0, results: 0, state: 's', logs } as const;
      const rest = { rc: 0, signal: null, properties: {} };
      inside.send({ type: 'progress', ...lease, sequence: 2, event: { ...finished, ...rest } });
      inside.send(paused);
      await expect.poll(() => texts().length).toBe(3);
      session.proceedLog(lease, log);
      await expect.poll(() => heard.at(-1)).toMatchObject({ type: 'proceed', offset: 0 });
      mine.sendBinary(bytes(0, 'abcdefghi'));
      await expect.poll(() => texts().length).toBe(4);
      expect(texts().at(-1)).toMatchObject({ text: 'abcdefghi' });
      mine.sendBinary(bytes(9, 'j'));
      expect(await end).toMatchObject({ code: CLOSE.malformed });
    });

    it.each<[string, (of: Awaited<ReturnType<typeof held>>) => void, number, RegExp]>([
      [
        'sends on until its credit is over',
        ({ mine }) => {
          for (let offset = 6; offset < 40; offset += 6) mine.sendBinary(bytes(offset, 'ghijkl'));
        },
        CLOSE.notPausing,
        /all its credit/,
      ],
      [
        'sends a frame after it has said that it rests',
        ({ mine, inside }) => {
          inside.send(paused);
          mine.sendBinary(bytes(6, 'g'));
        },
        CLOSE.notPausing,
        /after it had said/,
      ],
      ['says nothing', () => undefined, CLOSE.notPausing, /did not pause stream 1 within/],
      [
        'says twice that it rests',
        ({ inside }) => {
          inside.send(paused);
          inside.send(paused);
        },
        CLOSE.malformed,
        /not asked for/,
      ],
    ])('closes with a worker that %s, and hands nothing over', async (_, act, code, reason) => {
      const rig = await held({ creditBytes: 30, pauseMs: 200 } as unknown as Partial<typeof LIMITS>);
      rig.session.pauseLog(lease, { ...log, from: 0 });
      act(rig);
      expect(await rig.end).toMatchObject({ code, reason: expect.stringMatching(reason) as string });
      expect(rig.texts().length).toBe(1);
    });

    it('counts no time against the worker in which it takes nothing itself', async () => {
      const stored = Promise.withResolvers<void>();
      let busy = false;
      const onState = () => {
        busy = true;
        return stored.promise;
      };
      const limits = { pauseMs: 50 } as unknown as Partial<typeof LIMITS>;
      const { session, inside, heard } = await held(limits, ['pause'], { onState });
      inside.send({ type: 'state', draining: false, notes: [] });
      await expect.poll(() => busy).toBe(true);
      session.pauseLog(lease, { ...log, from: 0 });
      inside.send(paused);
      const since = performance.now();
      await expect.poll(() => performance.now() - since).toBeGreaterThan(3 * 50);
      expect(session.ended).toBe(false);
      stored.resolve();
      session.proceedLog(lease, log);
      await expect.poll(() => heard.at(-1)).toMatchObject({ type: 'proceed', offset: 0 });
    });

    it('says of a worker that cannot let a stream rest that it cannot', async () => {
      const { session, mine, texts } = await held({}, []);
      expect(session.pauseLog(lease, { ...log, from: 0 })).toBe(false);
      mine.sendBinary(bytes(6, 'g'));
      await expect.poll(() => texts().length).toBe(2);
    });
  });

  it('reads on only as fast as its handlers store', async () => {
    const gate = Promise.withResolvers<void>();
    const pair = setUp({ handlers: { onState: () => gate.promise } });
    const session = await pair.letIn();
    const pause = pair.theirs.pause.bind(pair.theirs);
    let paused = 0;
    pair.theirs.pause = () => {
      paused += 1;
      pause();
    };
    for (let count = 0; count < 1_000; count += 1)
      session.send({ type: 'state', draining: false, notes: [] });
    await expect.poll(() => paused).toBe(1);
    gate.resolve();
    session.send({ type: 'abandoned', ...lease, why: 'last' });
    await expect.poll(() => pair.got.length, { timeout: 5_000 }).toBe(1);
    session.close();
  });

  // Real time: a process that the machine holds up for a tenth of a second is silent indeed.
  it('is dead after silence, and alive by pings alone', { retry: 3 }, async () => {
    const limits = { pingEveryMs: 20, silenceMs: 120 } as unknown as Partial<typeof LIMITS>;
    const pair = setUp({ limits });
    const session = await pair.letIn();
    const first = session.heardAt;
    await expect.poll(() => session.heardAt - first).toBeGreaterThan(250);
    expect(session.ended).toBe(false);
    pair.mine.mute = true;
    pair.theirs.mute = true;
    const ends = await Promise.all([pair.end, session.end]);
    // The end that finds out first destroys the connection, which the other may see as an end without a word.
    expect(ends.map(({ code }) => code)).toContain(CLOSE.silent);
    for (const end of ends) expect(end.error?.code).toBe('BBX-PRO-LOST');
  });

  it('ends with a fault of its handler, which the worker may outlive', async () => {
    const pair = setUp({ handlers: { onState: () => Promise.reject(new Error('disk full')) } });
    const session = await pair.letIn();
    session.send({ type: 'state', draining: false, notes: [] });
    expect(await pair.end).toMatchObject({ code: CLOSE.fault });
    expect(await session.end).toMatchObject({ code: CLOSE.fault });
  });

  it('refuses to assign what does not fit into a message, and goes on', async () => {
    const pair = setUp();
    const session = await pair.letIn();
    const plan = {
      builder: 'b',
      number: 1,
      builddir: 'b',
      env: {},
      properties: { x: 'y'.repeat(5_000_000) },
      steps: [],
    };
    expect(() => pair.session.assign(lease, { plan, secrets: {}, orphanAfter: null })).toThrow(
      /over the limit of 4194304/,
    );
    expect(session.ended).toBe(false);
    session.close();
  });
});

describe('a hostile peer', () => {
  const junk = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.string({ maxLength: 60 }),
      fc.json({ maxDepth: 3 }),
      fc.record({
        type: fc.constantFrom(
          'hello',
          'authenticate',
          'inventory',
          'progress',
          'open',
          'echo',
          'assign',
          'greeting',
          'accepted',
          'ack',
        ),
        versions: fc.constantFrom([1], [2], 'x'),
        build: fc.integer(),
        id: fc.integer(),
        payload: fc.string(),
        nonce: fc.string(),
        software: fc.string(),
      }),
    ),
    { maxLength: 12 },
  );
  const send = (socket: MemorySocket, item: unknown) => {
    if (item instanceof Uint8Array) socket.sendBinary(item);
    else socket.sendText(typeof item === 'string' ? item : JSON.stringify(item));
  };

  it('as a worker costs a closed connection, whatever it says', async () => {
    await fc.assert(
      fc.asyncProperty(junk, async (items) => {
        const [here, there] = memoryWire();
        here.on({ text() {}, binary() {}, alive() {}, drained() {}, closed() {} });
        const end = new Promise<SessionEnd>((resolve) => {
          serveMasterSession({
            socket: there,
            peer: 'x',
            exporter,
            key: farm,
            epoch: 'e',
            software: 't',
            clock: systemClock,
            limits: { authenticationMs: 30, refusalMs: 1 } as unknown as Partial<typeof LIMITS>,
            authenticate: () => Promise.reject(new Error('never asked')),
            accept: () => {
              throw new Error('let in');
            },
            onRejected: resolve,
          });
        });
        for (const item of items) send(here, item);
        expect((await end).code).toBeGreaterThanOrEqual(CLOSE.malformed);
      }),
      { numRuns: 60 },
    );
  });

  it('as a master costs a clear error, whatever it says', async () => {
    await fc.assert(
      fc.asyncProperty(junk, async (items) => {
        const [here, there] = memoryWire();
        there.on({ text() {}, binary() {}, alive() {}, drained() {}, closed() {} });
        const limits = { authenticationMs: 30 } as unknown as Partial<typeof LIMITS>;
        const greeted = greetMaster({
          socket: here,
          peer: 'm',
          exporter,
          pins: [],
          software: 't',
          clock: systemClock,
          limits,
        });
        for (const item of items) send(there, item);
        expect(await codeOf(greeted)).toMatch(/^BBX-PRO-/);
      }),
      { numRuns: 60 },
    );
  });

  it('inside a session costs the session', async () => {
    await fc.assert(
      fc.asyncProperty(junk, async (items) => {
        const pair = setUp();
        const session = await pair.letIn();
        pair.session.resume(lease, { sequence: 0, logs: [] });
        for (const item of items) send(pair.mine, item);
        pair.mine.sendText('no JSON');
        expect([CLOSE.malformed, CLOSE.refused]).toContain((await pair.end).code);
        await session.end;
      }),
      { numRuns: 20 },
    );
  });
});
