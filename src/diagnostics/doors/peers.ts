import type { Duplex } from 'node:stream';
import { systemClock } from '../../base/clock.ts';
import { aborted } from '../../base/abort.ts';
import { BbxError, sentences } from '../../base/error.ts';
import { dial, type Route } from '../../net/dial.ts';
import type { Hop } from '../../net/endpoint/hop.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import { guessSpoken, httpDate } from '../../net/first-bytes.ts';
import type { Connection } from '../../net/hops/connection.ts';
import type { TlsRoute } from '../../net/hops/tls.ts';
import { openWebSocket } from '../../net/web-socket.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../../protocol/bbx/keys.ts';
import { WORKER_SUBPROTOCOL } from '../../protocol/bbx/wire.ts';
import { greetMaster, type GreetedMaster } from '../../protocol/bbx/worker-session.ts';
import { clockOf } from '../facts/clock.ts';
import type { PeerFact, PeerKind } from '../facts/paths.ts';
import type { TargetProtocol, TargetSubject } from '../subject.ts';

/** A peer that has not spoken by then is silent: a stock master with Perspective Broker waits this long for a client's first word. */
export const SILENCE_MS = 3_000;
/** Servers that speak first do so at once. */
const BANNER_MS = 500;
/** A stock master greets as soon as its loop turns; who has not by then is asked what he is. */
const PB_GREETING_MS = 2_000;
/** When TLS has had no answer for so long, the peer is also asked in plain words. */
const IMPATIENCE_MS = 1_000;
/** Of an HTTP answer, to find its Date. */
const HEADER_BYTES = 4 * 1024;
const DATE_ROUND_MS = 1_000;
/** Enough to see what a stranger speaks, too little to hold anything worth hiding. */
const FIRST_BYTES = 32;

export interface PeerDoor {
  /** Words of `hello`, `bbx/0.1.0 doctor`. */
  software: string;
  signal: AbortSignal;
  /** Hops on the way. */
  via?: readonly Hop[];
  env?: Readonly<Record<string, string | undefined>>;
  /** The worker path of a web port, and the name that its certificate must be for. */
  web?: { secure: boolean; path: string; name: string };
}

/** What a check of this target hands to who speaks to it. */
export function doorOf(
  target: TargetSubject,
  { software, signal, env }: Pick<PeerDoor, 'software' | 'signal' | 'env'>,
): PeerDoor {
  return {
    software,
    signal,
    ...(env === undefined ? {} : { env }),
    ...(target.via === undefined ? {} : { via: target.via }),
    ...(target.web === undefined ? {} : { web: { ...target.web, name: target.host } }),
  };
}

/** The way to a master at one literal address, whatever key it shows. */
export function routeTo(address: string, port: number, { via = [], web }: PeerDoor): Route {
  const tls = { firstContact: true };
  if (web === undefined) return { to: { kind: 'tcp', host: address, port }, via, tls };
  const { secure, path, name } = web;
  return {
    to: { kind: 'web-socket', secure, host: address, port, path },
    via,
    tls,
    web: { servername: name },
  };
}

/** Finds out who answers at one literal address, by greeting it and, where that fails, by its first bytes. */
export async function meetPeer(
  address: string,
  port: number,
  protocol: TargetProtocol,
  door: PeerDoor,
): Promise<PeerFact> {
  const started = performance.now();
  const signal = AbortSignal.any([door.signal, AbortSignal.timeout(SILENCE_MS)]);
  const done = (part: Partial<PeerFact> & { kind: PeerKind }): PeerFact => ({
    address,
    family: familyOf(address) === 6 ? 6 : 4,
    instance: null,
    tls: null,
    firstBytes: '',
    problem: null,
    code: null,
    version: null,
    ms: Math.round(performance.now() - started),
    ...part,
  });
  if (door.web !== undefined) {
    const met = await greet(address, port, door, signal);
    door.signal.throwIfAborted();
    return done(met.secured ? met.fact : { ...met.fact, kind: kindBehindWeb(met.fact.code) });
  }
  const first = (options: Partial<FirstOptions> = {}) =>
    firstBytes(address, port, { door, signal, ...options });
  if (protocol === 'http') {
    const plain = await first();
    if (plain.kind === 'http') return done(plain);
    const secured = await first({ tls: { firstContact: true } });
    return done(secured.kind === 'http' ? { ...secured, tls: true } : plain);
  }
  if (protocol === 'pb' || protocol === 'msgpack') {
    // A stock master with PB speaks first; one with msgpack answers the WebSocket handshake.
    const stock = await first(protocol === 'pb' ? { patienceMs: PB_GREETING_MS } : { upgrade: true });
    if (stock.kind !== 'closed' && stock.kind !== 'tls' && stock.kind !== 'silent')
      return done({ ...stock, tls: false });
    const inside = await first({ tls: { firstContact: true }, upgrade: protocol === 'msgpack' });
    if (inside.kind === protocol) return done({ ...inside, tls: true });
    if (inside.kind === 'closed' || inside.kind === 'silent') return done({ ...stock, tls: false });
    // Somebody speaks TLS there; a bbx master says who it is.
    return done((await greet(address, port, door, signal)).fact);
  }
  const impatient = new AbortController();
  const plainLater = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, IMPATIENCE_MS);
    impatient.signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  }).then(() => (impatient.signal.reason === 'met' ? undefined : first()));
  const met = await greet(address, port, door, signal);
  if (met.secured) {
    impatient.abort('met');
    door.signal.throwIfAborted();
    return done(met.fact);
  }
  impatient.abort('not TLS');
  const plain = (await plainLater) ?? { kind: 'silent' as const, firstBytes: '' };
  door.signal.throwIfAborted();
  const { kind } = plain;
  const problem =
    kind === 'silent'
      ? `connected, then nothing for ${SILENCE_MS / 1000} s`
      : kind === 'closed'
        ? 'connected, then closed without a word'
        : null;
  return done({ ...plain, tls: false, problem, code: met.fact.code ?? null });
}

/** Who does not pass a worker's WebSocket on. */
function kindBehindWeb(code: string | null | undefined): PeerKind {
  if (code === 'BBX-NET-UPGRADE') return 'http';
  if (code === 'BBX-NET-TIME') return 'silent';
  return code === 'BBX-NET-CERTIFICATE' ? 'tls' : 'closed';
}

/** The bbx greeting, inside TLS with whatever key the peer shows. `secured`: there was TLS, so its word counts. */
async function greet(
  address: string,
  port: number,
  door: PeerDoor,
  signal: AbortSignal,
): Promise<{ secured: boolean; fact: Partial<PeerFact> & { kind: PeerKind } }> {
  let connection: Connection | undefined;
  let speakTls = false;
  try {
    connection = await dial(routeTo(address, port, door), {
      signal,
      timeoutMs: SILENCE_MS,
      ...(door.env === undefined ? {} : { env: door.env }),
    });
    speakTls = true;
    const asked = Date.now();
    const greeted = await greetOver(connection, printHostPort(address, port), door.software, signal);
    const fact = {
      kind: 'bbx' as const,
      instance: greeted.instance,
      tls: true,
      version: String(greeted.greeting.version),
      clock: clockOf(asked, Date.now(), greeted.greeting.time * 1_000, 'greeting'),
    };
    greeted.close();
    return { secured: true, fact };
  } catch (error) {
    const code = error instanceof BbxError ? error.code : null;
    const problem = sentences(error).join(': ');
    if (!speakTls) {
      // "No version in common" is said in TLS.
      const tls = code === 'BBX-NET-TLS' && /version in common|ALPN|alert/i.test(problem);
      return { secured: tls, fact: { kind: 'tls', tls, code, problem } };
    }
    if (signal.aborted)
      return {
        secured: true,
        fact: { kind: 'silent', tls: true, code, problem: 'TLS came up, then nothing' },
      };
    const bbx = code === 'BBX-PRO-SIGNATURE' || code === 'BBX-PRO-VERSION' || code === 'BBX-PRO-BUSY';
    return { secured: true, fact: { kind: bbx ? 'bbx' : 'tls', tls: true, code, problem } };
  } finally {
    connection?.stream.destroy();
  }
}

/** WebSocket and greeting over a connection that has TLS. */
export async function greetOver(
  connection: Connection,
  peer: string,
  software: string,
  signal: AbortSignal,
): Promise<GreetedMaster> {
  const socket = await openWebSocket(connection.stream, {
    target: peer,
    protocol: WORKER_SUBPROTOCOL,
    signal,
  });
  return greetMaster({
    socket,
    peer,
    exporter: connection.secured?.exporter(EXPORTER_LABEL, EXPORTER_BYTES) ?? new Uint8Array(0),
    pins: [],
    software,
    clock: systemClock,
    signal,
  });
}

type FirstBytes = Pick<PeerFact, 'kind' | 'firstBytes' | 'clock'>;

interface FirstOptions {
  door: PeerDoor;
  signal: AbortSignal;
  tls?: TlsRoute;
  /** How long the peer may take to speak first. */
  patienceMs?: number;
  /** Asked is not for a page but for a WebSocket. */
  upgrade?: boolean;
}

/** Waits for a banner, then asks for a page, and names what comes by its first bytes. */
async function firstBytes(address: string, port: number, options: FirstOptions): Promise<FirstBytes> {
  const { door, signal, tls } = options;
  let connection: Connection | undefined;
  try {
    connection = await dial(
      {
        to: { kind: 'tcp', host: address, port },
        via: door.via ?? [],
        ...(tls === undefined ? {} : { tls }),
      },
      { signal, timeoutMs: SILENCE_MS, ...(door.env === undefined ? {} : { env: door.env }) },
    );
    const { stream } = connection;
    const { bytes, asked } = await Promise.race([readFirst(stream, address, port, options), aborted(signal)]);
    if (bytes.length === 0) return { kind: 'closed', firstBytes: '' };
    const text = bytes.subarray(0, HEADER_BYTES).toString('latin1');
    const date = httpDate(text);
    return {
      kind: options.upgrade === true && isStockWebSocket(text) ? 'msgpack' : guessSpoken(bytes),
      firstBytes: bytes.subarray(0, FIRST_BYTES).toString('hex'),
      ...(date === null ? {} : { clock: clockOf(asked, Date.now(), date, 'Date', DATE_ROUND_MS) }),
    };
  } catch {
    return { kind: signal.aborted ? 'silent' : 'closed', firstBytes: '' };
  } finally {
    connection?.stream.destroy();
  }
}

/** Resolves with what came first, empty when the peer closed without a word. */
function readFirst(
  stream: Duplex,
  address: string,
  port: number,
  { patienceMs = BANNER_MS, upgrade = false }: FirstOptions,
): Promise<{ bytes: Buffer; asked: number }> {
  return new Promise((resolve) => {
    let asked = Date.now();
    const ask = setTimeout(
      () => {
        asked = Date.now();
        const host = printHostPort(address.split('%')[0] ?? address, port);
        const wish = upgrade ? UPGRADE : ['Connection: close'];
        const lines = ['GET / HTTP/1.1', `Host: ${host}`, 'User-Agent: bbx-doctor', ...wish];
        stream.write(`${lines.join('\r\n')}\r\n\r\n`);
      },
      upgrade ? 0 : patienceMs,
    );
    const done = (bytes: Buffer) => {
      clearTimeout(ask);
      resolve({ bytes, asked });
    };
    stream.once('data', (bytes: Buffer) => done(bytes));
    stream.once('end', () => done(Buffer.alloc(0)));
    stream.once('close', () => done(Buffer.alloc(0)));
  });
}

/** A handshake of RFC 6455, as a stock worker's but without name and password; the key is that of the RFC's own example. */
const UPGRADE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

/** A stock master lets nobody in without a name: its 401 has not one header, which no web server's has (seen with 3.7). */
function isStockWebSocket(answer: string): boolean {
  return (
    answer === 'HTTP/1.1 401 Unauthorized\r\n\r\n' ||
    (/^HTTP\/1\.1 (101|400|401) /.test(answer) && /^server:\s*Autobahn/im.test(answer))
  );
}
