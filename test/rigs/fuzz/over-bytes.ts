import { duplexPair, type Duplex } from 'node:stream';
import { createWebSocketAcceptor, openWebSocket } from '../../../src/net/web-socket.ts';
import { greetMaster } from '../../../src/protocol/bbx/worker-session.ts';
import { WORKER_SUBPROTOCOL } from '../../../src/protocol/bbx/wire.ts';
import { EXPORTER, inTime, LEASES, WORKER, type FuzzCase, type Outcome } from './case.ts';
import { assign, masterWords } from './master-words.ts';
import { below, mutateBytes, type Part, type Random } from './mutate.ts';
import { serveJudged } from './toward-master.ts';
import { greetingFor, workOn } from './toward-worker.ts';
import { workerWords } from './worker-words.ts';

const acceptor = createWebSocketAcceptor({ protocol: WORKER_SUBPROTOCOL });
/** For streams on which no handshake comes of itself. */
const hasty = createWebSocketAcceptor({ protocol: WORKER_SUBPROTOCOL, limitMs: 300 });
const LAST = 777_777;
/** Answers take a few turns of the event loop. */
const SILENT_AFTER_MS = 500;

/** A message as one WebSocket frame (RFC 6455 section 5.2), masked as a client's must be. */
function frameOf(random: Random, part: Part, masked: boolean): Buffer {
  const payload = 'text' in part ? Buffer.from(part.text) : Buffer.from(part.bytes);
  const head = Buffer.alloc(10);
  head[0] = 0x80 | ('text' in part ? 1 : 2);
  let length = 2;
  if (payload.length < 126) head[1] = payload.length;
  else if (payload.length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(payload.length, 2);
    length = 4;
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
    length = 10;
  }
  if (!masked) return Buffer.concat([head.subarray(0, length), payload]);
  head[1] = head[1]! | 0x80;
  const mask = Buffer.from([0, 0, 0, 0].map(() => below(random, 256)));
  for (let at = 0; at < payload.length; at += 1) payload[at] = payload[at]! ^ mask[at % 4]!;
  return Buffer.concat([head.subarray(0, length), mask, payload]);
}

/** Frames as bytes with some of them changed, written in pieces that nothing is aligned to. */
function inject(random: Random, stream: Duplex, parts: readonly Part[], masked: boolean): void {
  const whole = Buffer.concat(parts.map((part) => frameOf(random, part, masked)));
  const bytes = mutateBytes(random, whole);
  for (let at = 0; at < bytes.length && !stream.destroyed;) {
    const length = 1 + below(random, 4_000);
    stream.write(bytes.subarray(at, at + length));
    at += length;
  }
  // Whoever was left in the middle of a message would be kept alive by answers to its pings: the peer falls silent.
  setTimeout(() => {
    stream.write = () => true;
  }, SILENT_AFTER_MS).unref();
}

/** Whatever becomes of a stream, it ends. */
function ending(stream: Duplex): Promise<Outcome> {
  return new Promise((resolve) => {
    stream.on('error', () => undefined);
    stream.once('close', () => resolve({ closed: 1006 }));
    stream.once('end', () => resolve({ closed: 1006 }));
  });
}

/** A handshake with changed bytes: it is answered, or the stream ends. */
const handshake: FuzzCase = ({ random }) => {
  const [mine, theirs] = duplexPair();
  hasty.accept(theirs, { peer: 'client' }).then(
    (socket) => socket.destroy(),
    () => undefined,
  );
  const request =
    `GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: ${Buffer.alloc(16, 1).toString('base64')}\r\nSec-WebSocket-Protocol: ${WORKER_SUBPROTOCOL}\r\n\r\n`;
  mine.resume();
  mine.write(mutateBytes(random, Buffer.from(request)));
  return inTime(ending(mine)).finally(() => mine.destroy());
};

/** Whole conversations as bytes with changes in them, toward the master's end. */
const bytesTowardMaster: FuzzCase = async (context) => {
  const { random, clock, wrong } = context;
  const [mine, theirs] = duplexPair();
  const over = ending(mine);
  theirs.on('error', () => undefined);
  acceptor.accept(theirs, { peer: 'client' }).then(
    (socket) => serveJudged(socket, context),
    (error: unknown) => wrong(String(error)),
  );
  const socket = await openWebSocket(mine, { target: 'h', protocol: WORKER_SUBPROTOCOL });
  const options = { peer: 'm', exporter: EXPORTER, pins: [], software: 'fuzz', clock };
  const greeted = await greetMaster({ ...options, socket });
  const session = await greeted.authenticate({ name: 'w1', key: WORKER, boot: 'b' });
  session.receive(() => undefined);
  inject(random, mine, workerWords(random, LEASES), true);
  const answered = greeted.ask.echo(Buffer.alloc(3)).then(
    () => 'answered' as const,
    () => session.end.then(({ code }) => ({ closed: code })),
  );
  return inTime(Promise.race([answered, over])).finally(() => {
    socket.destroy();
    mine.destroy();
    theirs.destroy();
  });
};

/** The same toward the worker's end. */
const bytesTowardWorker: FuzzCase = async (context) => {
  const { random } = context;
  const [mine, theirs] = duplexPair();
  const over = ending(mine);
  theirs.on('error', () => undefined);
  const accepted = acceptor.accept(mine, { peer: 'worker' });
  const work = openWebSocket(theirs, { target: 'h', protocol: WORKER_SUBPROTOCOL }).then((socket) =>
    workOn(socket, context),
  );
  const socket = await accepted;
  const outcome = Promise.withResolvers<Outcome>();
  socket.on({
    text(text) {
      const message = JSON.parse(text) as { type: string; nonce?: string; build?: number };
      if (message.type === 'assigned' && message.build === LAST) outcome.resolve('answered');
      if (message.type === 'hello') {
        const greeting = greetingFor(random, message.nonce ?? '');
        if ('text' in greeting) socket.sendText(greeting.text);
      }
      if (message.type === 'authenticate') {
        socket.sendText(JSON.stringify({ type: 'accepted', session: 's', peer: 'p', reach: [], pins: [] }));
        const last = assign(random, { build: LAST, token: `1-${'c'.repeat(16)}` });
        inject(random, mine, [...masterWords(random, LEASES), last], false);
      }
    },
    binary: () => undefined,
    alive: () => undefined,
    drained: () => undefined,
    closed: (code) => outcome.resolve({ closed: code }),
  });
  return inTime(Promise.race([outcome.promise, over])).finally(async () => {
    socket.destroy();
    mine.destroy();
    theirs.destroy();
    await inTime(work.then(() => 'answered'));
  });
};

/** One of the three at random. */
export const overBytes: FuzzCase = (context) => {
  const roll = context.random();
  if (roll < 0.2) return handshake(context);
  return roll < 0.6 ? bytesTowardMaster(context) : bytesTowardWorker(context);
};
