import { candidates, published, type NameFacts } from './facts/names.ts';
import type { Attempt } from './facts/paths.ts';
import type { Family } from './intent.ts';

/** Programs whose way of choosing among addresses is known, by their sources (docs/doctor.md, PTH-03). */
export const CLIENTS = [
  'bbx',
  'node-default',
  'twisted-tcp',
  'twisted-tls',
  'sequential',
  'curl/git',
] as const;
export type ClientKind = (typeof CLIENTS)[number];

/** What people call a program of each kind; a report for programs has the kinds. */
export const CLIENT_NAMES: Readonly<Record<ClientKind, string>> = {
  bbx: 'bbx',
  'node-default': 'Node',
  'twisted-tcp': 'Buildbot tcp:',
  'twisted-tls': 'Buildbot tls:',
  sequential: 'Python',
  'curl/git': 'curl and git',
};

/** How a program of this kind would fare. `unknown`: an address it would try was not measured. */
export type ClientFate =
  | { readonly kind: 'in'; readonly ms: number; readonly family: Family }
  | { readonly kind: 'out'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

export const NO_A_RECORD = 'no A record';
/** A dead address costs a program without limits of its own what Linux takes to give up: six SYNs, 127 s (tcp_syn_retries 6). */
const KERNEL_GIVES_UP_MS = 127_000;
/** RFC 8305 section 5: 250 ms; also Node's limit for each address but the last. */
const RFC8305_DELAY_MS = 250;
const TWISTED_DELAY_MS = 300;
const CURL_DELAY_MS = 200;
/** HostnameEndpoint gives up after 30 s in all. */
const TWISTED_LIMIT_MS = 30_000;

/** Decides from measured attempts who would get in; pure, nothing is sent. Times are those of connecting, the lookup aside. */
export function simulate(name: NameFacts, attempts: readonly Attempt[]): Record<ClientKind, ClientFate> {
  const order = candidates(name);
  const measured = new Map(attempts.map((attempt) => [attempt.address, attempt]));
  const inOrder = order.map((address) => measured.get(address));
  const known = inOrder.filter((attempt) => attempt !== undefined);
  const complete = known.length === order.length;
  const guard = (fate: ClientFate): ClientFate =>
    complete || fate.kind === 'in' ? fate : { kind: 'unknown', why: 'not every address was tried' };
  const v6First = interleave(known);
  return {
    bbx: guard(stagger(v6First, RFC8305_DELAY_MS, Infinity)),
    'node-default': guard(nodeDefault(known)),
    'twisted-tcp': guard(twistedTcp(name, measured)),
    'twisted-tls': guard(stagger(known, TWISTED_DELAY_MS, TWISTED_LIMIT_MS)),
    sequential: guard(sequential(known)),
    'curl/git': guard(curl(known)),
  };
}

/** IPv6 first, then in turns (RFC 8305 section 4). */
function interleave(attempts: readonly Attempt[]): Attempt[] {
  const six = attempts.filter((attempt) => attempt.family === 6);
  const four = attempts.filter((attempt) => attempt.family === 4);
  return Array.from({ length: Math.max(six.length, four.length) }, (_, index) => [six[index], four[index]])
    .flat()
    .filter((attempt) => attempt !== undefined);
}

/** Overlapping tries: the next starts after `delay`, or as soon as one before has failed. */
function stagger(attempts: readonly Attempt[], delayMs: number, limitMs: number): ClientFate {
  let start = 0;
  let best: { ms: number; family: Family } | undefined;
  for (const attempt of attempts) {
    if (best !== undefined && best.ms <= start) break;
    if (attempt.outcome === 'connected') {
      const ms = start + attempt.ms;
      if (best === undefined || ms < best.ms) best = { ms, family: attempt.family };
    }
    start += attempt.outcome === 'failed' ? Math.min(delayMs, attempt.ms) : delayMs;
  }
  if (best === undefined || best.ms > limitMs) return { kind: 'out', why: whyOut(attempts) };
  return { kind: 'in', ...best };
}

/** One after another; each but the last is closed after 250 ms, however well it was doing (Node 20 and later). */
function nodeDefault(attempts: readonly Attempt[]): ClientFate {
  let elapsed = 0;
  for (const [index, attempt] of attempts.entries()) {
    const last = index === attempts.length - 1;
    if (attempt.outcome === 'connected' && (last || attempt.ms <= RFC8305_DELAY_MS))
      return { kind: 'in', ms: elapsed + attempt.ms, family: attempt.family };
    elapsed += attempt.outcome === 'silent' || attempt.ms > RFC8305_DELAY_MS ? RFC8305_DELAY_MS : attempt.ms;
  }
  return { kind: 'out', why: whyOut(attempts) };
}

/** gethostbyname: the first A record and nothing else; an IPv6 literal goes through as it is. */
function twistedTcp(name: NameFacts, measured: ReadonlyMap<string, Attempt>): ClientFate {
  const first =
    name.literal !== null
      ? name.name
      : (name.hosts.find((address) => !address.includes(':')) ??
        name.lookup?.addresses.find((address) => !address.includes(':')) ??
        published(name, 4)[0]);
  if (first === undefined) return { kind: 'out', why: NO_A_RECORD };
  const attempt = measured.get(first);
  if (attempt === undefined) return { kind: 'unknown', why: `${first} was not tried` };
  if (attempt.outcome === 'connected') return { kind: 'in', ms: attempt.ms, family: attempt.family };
  return { kind: 'out', why: whyOut([attempt]) };
}

/** socket.create_connection and its like: each address to its end. */
function sequential(attempts: readonly Attempt[]): ClientFate {
  let elapsed = 0;
  for (const attempt of attempts) {
    if (attempt.outcome === 'connected')
      return { kind: 'in', ms: elapsed + attempt.ms, family: attempt.family };
    elapsed += attempt.outcome === 'silent' ? KERNEL_GIVES_UP_MS : attempt.ms;
  }
  return { kind: 'out', why: whyOut(attempts) };
}

/** Two rows, one a family; IPv4 starts 200 ms after IPv6. Within a row one after another. */
function curl(attempts: readonly Attempt[]): ClientFate {
  const row = (family: Family, start: number): ClientFate => {
    const fate = sequential(attempts.filter((attempt) => attempt.family === family));
    return fate.kind === 'in' ? { ...fate, ms: fate.ms + start } : fate;
  };
  const six = row(6, 0);
  const sixFailedFast = attempts
    .filter((attempt) => attempt.family === 6)
    .every((attempt) => attempt.outcome === 'failed');
  const four = row(4, sixFailedFast ? 0 : CURL_DELAY_MS);
  if (six.kind === 'in' && (four.kind !== 'in' || six.ms <= four.ms)) return six;
  return four.kind === 'in' ? four : { kind: 'out', why: whyOut(attempts) };
}

function whyOut(attempts: readonly Attempt[]): string {
  if (attempts.length === 0) return 'no address';
  return [
    ...new Set(
      attempts.map((attempt) =>
        attempt.outcome === 'connected'
          ? 'too slow'
          : attempt.outcome === 'silent'
            ? 'no answer'
            : (attempt.errno ?? 'failed'),
      ),
    ),
  ].join(', ');
}

/** `ok 38ms via 6`, `fail (no A record)`, `unknown`. */
export function printFate(fate: ClientFate): string {
  if (fate.kind === 'in') return `ok ${fate.ms}ms via ${fate.family}`;
  return fate.kind === 'out' ? `fail (${fate.why})` : 'unknown';
}
