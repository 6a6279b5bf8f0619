import { connect, type Socket } from 'node:net';
import { familyOf, printHostPort } from '../endpoint/host.ts';
import { codes } from '../codes.ts';
import type { OnEvidence } from '../evidence.ts';
import { attemptEvidence } from '../evidence.ts';
import { guard } from '../peer.ts';
import type { RaceFamily, RaceResult } from '../race.ts';
import { race } from '../race.ts';
import type { FamilyAnswer, Resolver } from '../resolve.ts';
import { answerEvidence, describeAnswer } from '../resolve.ts';

/** Dead peers that our own pings do not see (a socket handed to git) are found by the kernel after this and ten probes. */
const KEEPALIVE_MS = 15_000;
/** Made once: an `abort()` without a reason makes one, with its stack, at each connection. */
const ANSWERED = new Error('the race for this host is over');

export interface TcpOptions {
  resolver: Resolver;
  signal: AbortSignal;
  limitMs: number;
  onEvidence: OnEvidence;
  /** For tests: what connects to one address. */
  connectOne?: ConnectOne;
}

export type ConnectOne = (address: string, port: number, signal: AbortSignal) => Promise<Socket>;

/**
 * Connects to a host over whichever family answers first (RFC 8305).
 * @throws BbxError BBX-NET-NAME, BBX-NET-REFUSED, BBX-NET-SILENT or BBX-NET-UNREACHABLE with every address and its cause
 */
export async function connectTcp(host: string, port: number, options: TcpOptions): Promise<Socket> {
  const { resolver, signal, limitMs, onEvidence, connectOne = connectLiteral } = options;
  const answers: FamilyAnswer[] = [];
  const stopLookups = new AbortController();
  const lookups = AbortSignal.any([signal, stopLookups.signal]);
  const { winner, attempts, timedOut } = await race<Socket>({
    families: familiesOf(host, async (family) => {
      const answer = await resolver.resolve(host, family, { signal: lookups });
      answers.push(answer);
      onEvidence(answerEvidence(answer));
      return answer.addresses;
    }),
    connect: (address, _family, attemptSignal) => connectOne(address, port, attemptSignal),
    discard: (socket) => socket.destroy(),
    label: (address) => printHostPort(address, port),
    onAttempt: (attempt) => onEvidence(attemptEvidence(attempt)),
    signal,
    limitMs,
  }).finally(() => stopLookups.abort(ANSWERED));
  if (winner !== undefined) return winner.connection;
  throw failure(host, port, { attempts, timedOut, winner }, answers, limitMs);
}

function familiesOf(host: string, lookup: (family: 4 | 6) => Promise<readonly string[]>): RaceFamily[] {
  const literal = familyOf(host);
  if (literal !== 0) return [{ family: literal, addresses: Promise.resolve([host]) }];
  return ([6, 4] as const).map((family) => ({ family, addresses: lookup(family) }));
}

function failure(
  host: string,
  port: number,
  { attempts, timedOut }: RaceResult<Socket>,
  answers: readonly FamilyAnswer[],
  limitMs: number,
): Error {
  const target = printHostPort(host, port);
  if (attempts.length === 0) {
    if (timedOut) return codes['BBX-NET-TIME']({ target, phase: `the lookup of ${host}`, ms: limitMs });
    const inOrder = answers.toSorted((a, b) => b.family - a.family);
    return codes['BBX-NET-NAME']({ name: host, answers: inOrder.map(describeAnswer) });
  }
  if (attempts.every(({ errno }) => errno === 'ECONNREFUSED')) {
    return codes['BBX-NET-REFUSED']({ target, attempts });
  }
  if (attempts.every(({ result }) => result === 'silent')) {
    return codes['BBX-NET-SILENT']({ target, attempts });
  }
  return codes['BBX-NET-UNREACHABLE']({ target, attempts });
}

/** One address, given literally; never a name, and so without Node's own choice among addresses. */
export function connectLiteral(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (lacksZone(address)) {
      const message = `connect EINVAL ${address}:${port} - Local (no zone)`;
      reject(Object.assign(new Error(message), { code: 'EINVAL' }));
      return;
    }
    const socket = guard(
      connect({
        host: address,
        port,
        autoSelectFamily: false,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEPALIVE_MS,
      }),
    );
    const end = () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('connect', onConnect);
    };
    const onAbort = () => {
      end();
      socket.destroy();
      reject(signal.reason as Error);
    };
    const onError = (error: Error) => {
      end();
      socket.destroy();
      reject(error);
    };
    const onConnect = () => {
      end();
      resolve(socket);
    };
    socket.once('error', onError).once('connect', onConnect);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * A link-local address without zone is on no link in particular. The kernel says EINVAL; libuv of Node 24 takes the first interface
 * instead, and the packets go nowhere in silence. We say what the kernel says.
 */
function lacksZone(address: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(address) && !address.includes('%');
}
