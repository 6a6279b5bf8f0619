import * as z from 'zod';
import { replaceUnsafe } from '../../base/unsafe-text.ts';
import { runOverSsh } from '../../exec/over-ssh.ts';
import { codes } from '../../net/codes.ts';
import { printHop, type Hop } from '../../net/endpoint/hop.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import type { SourceFact } from '../facts/host.ts';
import type { NameFacts } from '../facts/names.ts';
import type { Attempt, PathFacts, PeerFact } from '../facts/paths.ts';
import type { Probes } from '../probes.ts';
import type { TargetSubject } from '../subject.ts';
import { NO_TROUBLE_PROBES } from './trouble.ts';
import { farScript } from './far-script.ts';
import { meetPeer } from './peers.ts';
import type { SeenFacts } from './probes.ts';

export type FarPlace = Extract<Hop, { kind: 'ssh' }>;

const CONNECT_S = 4;
/** ssh, Python, a slow lookup, one connection. */
const LIMIT_MS = 12_000;

const tried = z.object({
  address: z.string().max(100),
  outcome: z.enum(['connected', 'failed', 'silent']),
  errno: z.string().max(30).nullable(),
  source: z.string().max(100).nullable(),
  noWay: z.string().max(30).nullable(),
  ms: z.number().nonnegative(),
});
const answer = z.object({
  hostname: z.string().max(255),
  lookup: z.object({
    addresses: z.array(z.string().max(100)).max(16),
    errno: z.string().max(30).nullable(),
    ms: z.number(),
  }),
  attempts: z.array(tried).max(16),
});

/** What another machine sees of a host and port. */
export interface FarFacts {
  readonly name: NameFacts;
  readonly path: PathFacts;
  readonly sources: readonly SourceFact[];
}

interface FarOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Looks at a target from another machine. Throws BBX-NET-SSH with ssh's own words when nothing comes back. */
export async function readFrom(
  place: FarPlace,
  to: { host: string; port: number },
  options: FarOptions,
): Promise<FarFacts> {
  const at = new Date().toISOString();
  const ran = await runOverSsh(place, farScript(to.host, to.port, CONNECT_S), {
    ...options,
    timeoutMs: LIMIT_MS,
  });
  const read = readAnswer(ran.stdout);
  if (read === undefined) {
    const words = replaceUnsafe(ran.complaint, () => '?').slice(0, 300);
    const problem = words === '' ? `it ended with ${ran.exit ?? 'a signal'} and gave no answer` : words;
    throw codes['BBX-NET-SSH']({ target: printHostPort(to.host, to.port), hop: printHop(place), problem });
  }
  const family = familyOf(to.host);
  return {
    name: {
      at,
      name: to.host,
      literal: family === 0 ? null : family,
      localhost: to.host === 'localhost',
      servers: [],
      lookup: family === 0 ? read.lookup : null,
      hosts: [],
      ownName: false,
    },
    path: { at, attempts: read.attempts.map((one) => attemptOf(one, to.port)), listensHere: null },
    sources: read.attempts.map(({ address, source, noWay }) => ({
      target: address,
      family: address.includes(':') ? 6 : 4,
      source,
      errno: noWay,
    })),
  };
}

/** The answer in what the other machine printed, whatever its profile prints beside it. */
export function readAnswer(text: string): z.infer<typeof answer> | undefined {
  const json = /^bbx-far (\{.*\})$/m.exec(text)?.[1];
  if (json !== undefined) {
    try {
      return answer.safeParse(JSON.parse(json)).data;
    } catch {
      // Cut off, or somebody else's words.
      return undefined;
    }
  }
  const hostname = /^bbx-far-shell (\S+)$/m.exec(text)?.[1];
  if (hostname === undefined) return undefined;
  const attempts = [...text.matchAll(/^bbx-far-try (\S+) (\d+) (\d+) ?(.*)$/gm)]
    .map(([, address = '', status = '', ms = '', words = '']) =>
      shellAttempt(address, Number(status), Number(ms), words),
    )
    .filter((one) => one !== undefined);
  const addresses = [
    ...new Set([...text.matchAll(/^bbx-far-try (\S+) /gm)].map(([, address = '']) => address)),
  ];
  return answer.safeParse({
    hostname,
    lookup: { addresses, errno: addresses.length === 0 ? 'ENOTFOUND' : null, ms: 0 },
    attempts,
  }).data;
}

/** System codes by the words of bash and nc in the C locale. */
const WORDS: readonly (readonly [words: RegExp, errno: string])[] = [
  [/refused/i, 'ECONNREFUSED'],
  [/network is unreachable/i, 'ENETUNREACH'],
  [/no route to host/i, 'EHOSTUNREACH'],
  [/permission denied|prohibited/i, 'EACCES'],
  [/cannot assign/i, 'EADDRNOTAVAIL'],
  [/invalid argument/i, 'EINVAL'],
];

function shellAttempt(
  address: string,
  status: number,
  ms: number,
  words: string,
): z.infer<typeof tried> | undefined {
  // Neither bash nor nc is there: nothing was tried.
  if (status === 127) return undefined;
  const done = { address, source: null, noWay: null, ms };
  if (status === 0) return { ...done, outcome: 'connected', errno: null };
  if (status === 124 || /timed out/i.test(words)) return { ...done, outcome: 'silent', errno: null };
  const errno = WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? null;
  return { ...done, outcome: 'failed', errno };
}

/** Codes with which the far kernel itself says no, before anything is sent. */
const LOCAL = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'EINVAL', 'EAFNOSUPPORT']);

function attemptOf({ address, outcome, errno, noWay, ms }: z.infer<typeof tried>, port: number): Attempt {
  const local = errno !== null && (LOCAL.has(errno) || noWay === errno);
  return { address, family: address.includes(':') ? 6 : 4, port, outcome, errno, local, ms };
}

/**
 * Answers for a target with what another machine has seen. Who answers there is found out by greeting it through that machine's ssh, so that
 * no program is needed on it.
 */
export function answerFrom(
  probes: Probes & { readonly seen: SeenFacts },
  far: FarFacts,
  place: FarPlace,
  options: FarOptions & { software: string },
): void {
  const { seen } = probes;
  let peers: Promise<readonly PeerFact[]> | undefined;
  const meet = async (target: TargetSubject) => {
    const open = far.path.attempts.filter(({ outcome }) => outcome === 'connected');
    const door = { ...options, via: [place] };
    const met = await Promise.all(
      open.map((attempt) => meetPeer(attempt.address, attempt.port, target.protocol, door)),
    );
    // That machine's ssh server may forbid forwarding, which says nothing of who answers.
    const heard = met.filter(({ code }) => code !== 'BBX-NET-SSH');
    seen.peers.set(target.text, heard);
    return heard;
  };
  Object.assign(probes, {
    name: async (host: string) => {
      seen.names.set(host, far.name);
      return far.name;
    },
    path: async (target: TargetSubject) => {
      seen.paths.set(target.text, far.path);
      return far.path;
    },
    sources: async () => {
      for (const fact of far.sources) seen.sources.set(fact.target, fact);
      return far.sources;
    },
    peers: (target: TargetSubject) => (peers ??= meet(target)),
    links: async () => [],
    handshakes: async () => [],
    closedPort: async () => [],
    ...NO_TROUBLE_PROBES,
    rests: async () => undefined,
    authenticate: async () => undefined,
  } satisfies Partial<Probes>);
}
