import type { Duplex } from 'node:stream';
import { codes } from './codes.ts';
import type { Address, WebSocketAddress } from './endpoint/address.ts';
import { printAddress } from './endpoint/address.ts';
import type { Hop } from './endpoint/hop.ts';
import { printHop } from './endpoint/hop.ts';
import type { Evidence, OnEvidence } from './evidence.ts';
import type { Connection, Secured } from './hops/connection.ts';
import { connectTcp } from './hops/tcp.ts';
import type { TlsRoute } from './hops/tls.ts';
import { secureClient } from './hops/tls.ts';
import { connectUnix } from './hops/unix.ts';
import { openWay, type WayEnd } from './hops/way.ts';
import { openWebSocketTunnel } from './hops/web-socket.ts';
import { endsOf } from './peer.ts';
import type { Resolver } from './resolve.ts';
import { systemResolver } from './system-resolver.ts';

/** A whole dial: ten seconds for the slowest usual connect, and the same again for what follows it. */
const DIAL_LIMIT_MS = 20_000;
/** Each phase: connect, TLS handshake, WebSocket handshake. */
const PHASE_LIMIT_MS = 10_000;

/** The way to a peer: through the hops in order, to the address, and there TLS as the innermost layer. */
export interface Route {
  to: Address;
  via: readonly Hop[];
  /** Undefined: plain bytes. */
  tls?: TlsRoute;
  /** The TLS of the web port itself, for a `wss://` address; by default a usual authority's certificate for its host. */
  web?: TlsRoute;
}

export interface DialOptions {
  signal?: AbortSignal;
  /** The whole dial; default 20 s. */
  timeoutMs?: number;
  /** Told of every lookup, attempt and handshake as it ends. */
  onEvidence?: OnEvidence;
  /** Default: the system's own, both families asked apart. */
  resolver?: Resolver;
  /** Where hops find their logins (`NETRC`) and their ssh (`BBX_SSH_COMMAND`); default: the process's own. */
  env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Connects along a route. The stream has a listener for errors already; its owner closes it.
 * @throws BbxError with what failed: BBX-NET-… of codes.ts; the signal's reason when it was aborted. `evidence` of the failed dial has
 * gone to `onEvidence` before.
 */
export async function dial(route: Route, options: DialOptions = {}): Promise<Connection> {
  const { timeoutMs = DIAL_LIMIT_MS, resolver = systemResolver, env = process.env } = options;
  options.signal?.throwIfAborted();

  const target = printAddress(route.to);
  const evidence: Evidence[] = [];
  const onEvidence: OnEvidence = (one) => {
    evidence.push(one);
    options.onEvidence?.(one);
  };
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(codes['BBX-NET-TIME']({ target, phase: 'the connection', ms: timeoutMs })),
    timeoutMs,
  );
  const signal =
    options.signal === undefined ? limit.signal : AbortSignal.any([options.signal, limit.signal]);
  // A race that ends by its own limit names every address; the limit around it knows none. So the race's comes first.
  const limitMs = Math.max(1, Math.min(PHASE_LIMIT_MS, timeoutMs - 20));
  const phase = { target, signal, limitMs, onEvidence };

  let opened: Duplex | undefined;
  let way: WayEnd | undefined;
  try {
    way = await connect(route, { ...phase, resolver, env });
    const { peer, local } = way;
    let stream = (opened = way.stream);
    if (route.to.kind === 'web-socket') {
      stream = opened = await enterWebPort(stream, route.to, route.web ?? {}, phase);
    }
    let secured: Secured | undefined;
    if (route.tls !== undefined) {
      const host = route.to.kind === 'unix' ? 'localhost' : route.to.host;
      ({ stream, secured } = await secureClient(stream, route.tls, { ...phase, host }));
    }
    signal.throwIfAborted();
    return { stream, peer, local, secured, evidence };
  } catch (error) {
    opened?.destroy();
    // The peer's silence is the hop's doing where the hop says so.
    const problem = signal.aborted ? undefined : await way?.why?.();
    if (problem === undefined) throw error;
    const hop = route.via.map(printHop).join(', ');
    throw codes['BBX-NET-SSH']({ target, hop, problem }, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

interface Phase {
  target: string;
  signal: AbortSignal;
  limitMs: number;
  onEvidence: OnEvidence;
}

async function connect(
  { to, via }: Route,
  options: Phase & { resolver: Resolver; env: NonNullable<DialOptions['env']> },
): Promise<WayEnd> {
  if (via.length > 0) {
    if (to.kind === 'unix') throw codes['BBX-NET-HOP-ORDER']({ hop: options.target });
    return openWay(via, to, options);
  }
  if (to.kind === 'unix') {
    const stream = await connectUnix(to.path, options.signal);
    return { stream, peer: options.target, local: options.target };
  }
  const stream = await connectTcp(to.host, to.port, options);
  return { stream, ...endsOf(stream) };
}

async function enterWebPort(
  socket: Duplex,
  to: WebSocketAddress,
  web: TlsRoute,
  phase: Phase,
): Promise<Duplex> {
  const outer = to.secure
    ? (await secureClient(socket, { alpn: ['http/1.1'], ...web }, { ...phase, host: to.host })).stream
    : socket;
  return openWebSocketTunnel(outer, to, phase);
}
