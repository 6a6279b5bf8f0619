import { BbxError, sentences } from '../../base/error.ts';
import { dial } from '../../net/dial.ts';
import { printHop } from '../../net/endpoint/hop.ts';
import type { Evidence } from '../../net/evidence.ts';
import type { WayFacts, WayFailure } from '../facts/ways.ts';
import type { TargetSubject } from '../subject.ts';

/** Goes through the hops of a target as a worker would, up to its host and port, and closes. */
export async function readWay(
  target: TargetSubject,
  options: {
    limitMs: number;
    signal: AbortSignal;
    env: Readonly<Record<string, string | undefined>>;
  },
): Promise<WayFacts> {
  const { signal, env, limitMs } = options;
  const at = new Date().toISOString();
  const started = performance.now();
  const steps: Evidence[] = [];
  const done = (failure: WayFailure | null): WayFacts => ({
    at,
    ms: Math.round(performance.now() - started),
    steps: steps.map(({ what, got, ms }) => ({ what, got: ms === undefined ? got : `${got} in ${ms} ms` })),
    failure,
  });
  try {
    const connection = await dial(
      { to: { kind: 'tcp', host: target.host, port: target.port ?? 0 }, via: target.via ?? [] },
      { signal, timeoutMs: limitMs, env, onEvidence: (one) => steps.push(one) },
    );
    connection.stream.destroy();
    return done(null);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof BbxError)) throw error;
    return done(failureOf(error, target));
  }
}

function failureOf(error: BbxError, target: TargetSubject): WayFailure {
  const data = error.data as {
    hop?: unknown;
    problem?: unknown;
    reply?: unknown;
    given?: unknown;
    target?: unknown;
  };
  // A hop's own silence names the hop as what could not be reached.
  const named = typeof data.hop === 'string' ? data.hop : typeof data.target === 'string' ? data.target : '';
  const hop = (target.via ?? []).map(printHop).find((one) => named.includes(one));
  const word = hop?.split(':')[0];
  return {
    kind: word === undefined ? null : word === 'https' ? 'http' : (word as 'socks5' | 'http' | 'ssh'),
    hop: hop === undefined ? null : typeof data.hop === 'string' ? data.hop : hop,
    code: error.code,
    message: sentences(error)[0] ?? error.message,
    hint: error.hint ?? null,
    problem: typeof data.problem === 'string' ? data.problem : null,
    reply: typeof data.reply === 'number' ? data.reply : null,
    loginGiven: data.given === true,
  };
}
