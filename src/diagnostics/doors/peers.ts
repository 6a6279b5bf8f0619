import { systemClock } from '../../base/clock.ts';
import { BbxError, sentences } from '../../base/error.ts';
import { dial } from '../../net/dial.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import type { Connection } from '../../net/hops/connection.ts';
import { openWebSocket } from '../../net/web-socket.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../../protocol/bbx/keys.ts';
import { WORKER_SUBPROTOCOL } from '../../protocol/bbx/wire.ts';
import { greetMaster, type GreetedMaster } from '../../protocol/bbx/worker-session.ts';
import { clockOf } from '../facts/clock.ts';
import type { PeerFact, PeerKind } from '../facts/paths.ts';
import type { TargetProtocol } from '../subject.ts';
import { firstBytes, type FirstOptions } from './first-bytes.ts';
import { routeTo, SILENCE_MS, type PeerDoor } from './peer-door.ts';

/** A stock master greets as soon as its loop turns; who has not by then is asked what he is. */
const PB_GREETING_MS = 2_000;
/** When TLS has had no answer for so long, the peer is also asked in plain words. */
const IMPATIENCE_MS = 1_000;

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
