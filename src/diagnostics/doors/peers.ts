import type { Duplex } from 'node:stream';
import { systemClock } from '../../base/clock.ts';
import { aborted } from '../../base/abort.ts';
import { BbxError, sentences } from '../../base/error.ts';
import { dial } from '../../net/dial.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import type { Connection } from '../../net/hops/connection.ts';
import type { TlsRoute } from '../../net/hops/tls.ts';
import { openWebSocket } from '../../net/web-socket.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../../protocol/bbx/keys.ts';
import { WORKER_SUBPROTOCOL } from '../../protocol/bbx/wire.ts';
import { greetMaster, type GreetedMaster } from '../../protocol/bbx/worker-session.ts';
import type { PeerFact, PeerKind } from '../facts/paths.ts';
import type { TargetProtocol } from '../subject.ts';

/** A peer that has not spoken by then is silent: a stock master with Perspective Broker waits this long for a client's first word. */
export const SILENCE_MS = 3_000;
/** Servers that speak first do so at once. */
const BANNER_MS = 500;
/** When TLS has had no answer for so long, the peer is also asked in plain words. */
const IMPATIENCE_MS = 1_000;
/** Enough to see what a stranger speaks, too little to hold anything worth hiding. */
const FIRST_BYTES = 32;

export interface PeerDoor {
  /** Words of `hello`, `bbx/0.1.0 doctor`. */
  software: string;
  signal: AbortSignal;
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
  if (protocol === 'http') {
    const plain = await firstBytes(address, port, signal);
    if (plain.kind === 'http') return done(plain);
    const secured = await firstBytes(address, port, signal, { firstContact: true });
    return done(secured.kind === 'http' ? { ...secured, tls: true } : plain);
  }
  const impatient = new AbortController();
  const plainLater = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, IMPATIENCE_MS);
    impatient.signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  }).then(() => (impatient.signal.reason === 'met' ? undefined : firstBytes(address, port, signal)));
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
    connection = await dial(
      { to: { kind: 'tcp', host: address, port }, via: [], tls: { firstContact: true } },
      { signal, timeoutMs: SILENCE_MS },
    );
    speakTls = true;
    const greeted = await greetOver(connection, printHostPort(address, port), door.software, signal);
    const fact = {
      kind: 'bbx' as const,
      instance: greeted.instance,
      tls: true,
      version: String(greeted.greeting.version),
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

type FirstBytes = Pick<PeerFact, 'kind' | 'firstBytes'>;

/** Waits for a banner, then asks for a page, and names what comes by its first bytes. */
async function firstBytes(
  address: string,
  port: number,
  signal: AbortSignal,
  tls?: TlsRoute,
): Promise<FirstBytes> {
  let connection: Connection | undefined;
  try {
    connection = await dial(
      { to: { kind: 'tcp', host: address, port }, via: [], ...(tls === undefined ? {} : { tls }) },
      { signal, timeoutMs: SILENCE_MS },
    );
    const { stream } = connection;
    const bytes = await Promise.race([readFirst(stream, address, port), aborted(signal)]);
    return bytes.length === 0
      ? { kind: 'closed', firstBytes: '' }
      : { kind: classify(bytes), firstBytes: bytes.subarray(0, FIRST_BYTES).toString('hex') };
  } catch {
    return { kind: signal.aborted ? 'silent' : 'closed', firstBytes: '' };
  } finally {
    connection?.stream.destroy();
  }
}

/** Resolves with what came first, empty when the peer closed without a word. */
function readFirst(stream: Duplex, address: string, port: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const ask = setTimeout(() => {
      const host = printHostPort(address.split('%')[0] ?? address, port);
      stream.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nUser-Agent: bbx-doctor\r\n\r\n`);
    }, BANNER_MS);
    const done = (bytes: Buffer) => {
      clearTimeout(ask);
      resolve(bytes);
    };
    stream.once('data', (bytes: Buffer) => done(bytes));
    stream.once('end', () => done(Buffer.alloc(0)));
    stream.once('close', () => done(Buffer.alloc(0)));
  });
}

/** A stock master's banana dialects: string of 2 `pb`, string of 4 `none`, in a list. */
const PB = Buffer.from('02800282706204826e6f6e65', 'hex');

/** What kind of server begins like this. */
function classify(bytes: Uint8Array): PeerKind {
  const buffer = Buffer.from(bytes);
  const text = buffer.toString('latin1');
  if (text.startsWith('HTTP/')) return 'http';
  if (text.startsWith('SSH-')) return 'ssh';
  if (/^220[ -]/.test(text)) return 'smtp';
  if (buffer.subarray(0, 6).equals(PB.subarray(0, 6))) return 'pb';
  // A TLS alert or handshake record.
  if ((buffer[0] === 0x15 || buffer[0] === 0x16) && buffer[1] === 0x03) return 'tls';
  return 'other';
}
