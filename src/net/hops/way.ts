import type { Duplex } from 'node:stream';
import { BbxError } from '../../base/error.ts';
import { codes } from '../codes.ts';
import type { Hop } from '../endpoint/hop.ts';
import { printHop } from '../endpoint/hop.ts';
import { familyOf, printHostPort } from '../endpoint/host.ts';
import { kindOf } from '../address-kind.ts';
import type { OnEvidence } from '../evidence.ts';
import { observe } from '../evidence.ts';
import { endsOf } from '../peer.ts';
import type { Resolver } from '../resolve.ts';
import { connectHttp } from './http-connect.ts';
import { netrcLogins, type FindLogin } from './login.ts';
import { connectSocks5 } from './socks5.ts';
import { connectSsh, type SshHop, type SshStream } from './ssh.ts';
import { connectTcp } from './tcp.ts';
import { secureClient } from './tls.ts';

export interface WayOptions {
  resolver: Resolver;
  signal: AbortSignal;
  /** Each connect and each handshake. */
  limitMs: number;
  onEvidence: OnEvidence;
  env: Readonly<Record<string, string | undefined>>;
}

/** The far end of the last hop. */
export interface WayEnd {
  stream: Duplex;
  peer: string;
  local: string;
  /** What a hop says of a stream that broke: only ssh tells. */
  why?: SshStream['lastWords'];
}

interface Place {
  host: string;
  port: number;
}

/**
 * Goes through the hops in order: each is asked to connect to the next, the last to `to`. Names are looked up by the hop that connects to
 * them. On failure nothing stays open.
 * @throws BbxError BBX-NET-PROXY, -PROXY-LOGIN, -SSH, -NETRC, -HOP-KIND, -HOP-ORDER, and what connecting to the first hop fails with
 */
export async function openWay(hops: readonly Hop[], to: Place, options: WayOptions): Promise<WayEnd> {
  judge(hops, to);
  const login = netrcLogins(options.env);
  const chain = hops.filter((hop): hop is SshHop => hop.kind === 'ssh');
  const rest = hops.filter((hop): hop is Proxy => hop.kind === 'socks5' || hop.kind === 'http');
  const placeOf = (index: number): Place => rest[index] ?? to;
  let end: WayEnd | undefined;
  try {
    end =
      chain.length > 0 ? await throughSsh(chain, placeOf(0), options) : await firstProxy(placeOf(0), options);
    for (const [index, hop] of rest.entries()) {
      end = { ...end, stream: await throughProxy(end.stream, hop, placeOf(index + 1), login, options) };
    }
    return end;
  } catch (error) {
    end?.stream.destroy();
    throw error;
  }
}

type Proxy = Extract<Hop, { kind: 'socks5' | 'http' }>;

function judge(hops: readonly Hop[], to: Place): void {
  let left = false;
  for (const hop of hops) {
    if (hop.kind === 'relay') throw codes['BBX-NET-HOP-KIND']({ hop: printHop(hop) });
    if (hop.kind === 'ssh' && left) throw codes['BBX-NET-HOP-ORDER']({ hop: printHop(hop) });
    left ||= hop.kind !== 'ssh';
  }
  if (familyOf(to.host) !== 0 && kindOf(to.host) === 'link-local') {
    throw codes['BBX-NET-PROXY']({
      target: printHostPort(to.host, to.port),
      hop: hops.map(printHop).join(', '),
      problem: 'a link-local address means nothing beyond its own link',
    });
  }
}

async function throughSsh(chain: readonly SshHop[], to: Place, options: WayOptions): Promise<WayEnd> {
  const started = performance.now();
  const hop = chain.map(printHop).join(', ');
  const what = `${hop} to ${printHostPort(to.host, to.port)}`;
  const limit = limited(options, hop);
  try {
    const { stream, lastWords } = await connectSsh(chain, { ...to, signal: limit.signal, env: options.env });
    options.onEvidence(observe('connect', what, 'forwarded', { ms: performance.now() - started }));
    return { stream, peer: hop, local: 'ssh', why: lastWords };
  } catch (error) {
    options.onEvidence(observe('connect', what, gotOf(error), { ms: performance.now() - started }));
    throw error;
  } finally {
    limit.end();
  }
}

async function firstProxy(proxy: Place, options: WayOptions): Promise<WayEnd> {
  const socket = await connectTcp(proxy.host, proxy.port, options);
  return { stream: socket, ...endsOf(socket) };
}

async function throughProxy(
  stream: Duplex,
  hop: Proxy,
  to: Place,
  findLogin: FindLogin,
  options: WayOptions,
): Promise<Duplex> {
  const started = performance.now();
  const printed = printHop(hop);
  const what = `${printed} to ${printHostPort(to.host, to.port)}`;
  const limit = limited(options, printed);
  try {
    const login = await findLogin(hop.host);
    let outer = stream;
    if (hop.kind === 'http' && hop.secure) {
      const tls = {
        ...options,
        signal: limit.signal,
        target: printHostPort(hop.host, hop.port),
        host: hop.host,
      };
      ({ stream: outer } = await secureClient(stream, { alpn: ['http/1.1'] }, tls));
    }
    const asked = { ...to, hop: printed, login, signal: limit.signal };
    await (hop.kind === 'http' ? connectHttp(outer, asked) : connectSocks5(outer, asked));
    options.onEvidence(observe('connect', what, 'connected', { ms: performance.now() - started }));
    return outer;
  } catch (error) {
    stream.destroy();
    options.onEvidence(observe('connect', what, gotOf(error), { ms: performance.now() - started }));
    throw error;
  } finally {
    limit.end();
  }
}

/** A hop that does not answer must not take the time of the whole dial. */
function limited({ signal, limitMs }: WayOptions, hop: string): { signal: AbortSignal; end(): void } {
  const limit = new AbortController();
  const timer = setTimeout(
    () =>
      limit.abort(codes['BBX-NET-TIME']({ target: hop, phase: 'what was asked of this hop', ms: limitMs })),
    limitMs,
  );
  return { signal: AbortSignal.any([signal, limit.signal]), end: () => clearTimeout(timer) };
}

function gotOf(error: unknown): string {
  const problem = error instanceof BbxError ? error.data['problem'] : undefined;
  return typeof problem === 'string' ? problem : error instanceof BbxError ? error.message : 'failed';
}
