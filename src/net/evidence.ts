/** One raw observation, without advice: what was tried and what came back. Secrets never come here. */
export interface Evidence {
  kind: 'connect' | 'dns' | 'file' | 'proc' | 'cmd' | 'tls' | 'peer' | 'listen';
  what: string;
  got: string;
  /** ISO 8601, UTC. */
  at: string;
  /** How long it took, where that says something. */
  ms?: number;
}

export type OnEvidence = (evidence: Evidence) => void;

/** `wall` is epoch seconds, as everywhere. */
export function observe(
  kind: Evidence['kind'],
  what: string,
  got: string,
  options: { wall?: number; ms?: number } = {},
): Evidence {
  const at = new Date(options.wall === undefined ? Date.now() : options.wall * 1000).toISOString();
  return { kind, what, got, at, ...(options.ms === undefined ? {} : { ms: Math.round(options.ms) }) };
}

/** One try to connect to one address. */
export interface Attempt {
  /** The address itself, printed, with its port: `[2001:db8::2]:9989`. */
  address: string;
  family: 4 | 6 | undefined;
  /** `cancelled`: another address won, or the caller gave up. `silent`: no answer within this attempt's own limit. */
  result: 'connected' | 'refused' | 'cancelled' | 'silent';
  /** The system's code where it refused: ECONNREFUSED, EHOSTUNREACH … */
  errno?: string;
  /** True when our own kernel said no before a packet left (no route, disabled family). */
  local: boolean;
  /** From this attempt's start to its result. */
  ms: number;
  /** The last thing the system said, where there is no errno. */
  message?: string;
}

/**
 * Node adds ` - Local (…)` to the message of a connect that its own kernel refused at once; an answer from the network has none.
 * It tells "our side has no way" from "something on the path said no", without any privilege.
 */
export function isLocalRefusal(error: unknown): boolean {
  return error instanceof Error && / - Local \(/.test(error.message);
}

/** A sentence part for people: `[2001:db8::2]:9989 no answer within 10.0 s`. */
export function describeAttempt(attempt: Attempt): string {
  const { address, result, errno, local, ms } = attempt;
  switch (result) {
    case 'connected':
      return `${address} connected in ${Math.round(ms)} ms`;
    case 'silent':
      return `${address} no answer within ${(ms / 1000).toFixed(1)} s`;
    case 'cancelled':
      return `${address} no answer in ${(ms / 1000).toFixed(1)} s, given up`;
    case 'refused':
      return `${address} ${errno ?? attempt.message ?? 'failed'}${local ? ' (refused by this host itself)' : ''}`;
  }
}

/** An attempt as a piece of evidence; `wall` (epoch ms) is when it was made. */
export function attemptEvidence(attempt: Attempt, wall?: number): Evidence {
  const got =
    attempt.result === 'refused'
      ? `${attempt.errno ?? attempt.message ?? 'error'}${attempt.local ? ' - Local' : ''}`
      : attempt.result;
  return observe('connect', attempt.address, got, {
    ms: attempt.ms,
    ...(wall === undefined ? {} : { wall }),
  });
}
