import { within } from '../../base/abort.ts';
import { BbxError, sentences } from '../../base/error.ts';
import { dial } from '../../net/dial.ts';
import { printHostPort } from '../../net/endpoint/host.ts';
import { PROBES } from '../../protocol/bbx/probe-desk.ts';
import { runSeries, STALL_MS } from '../../protocol/bbx/probe-series.ts';
import type { GreetedMaster } from '../../protocol/bbx/worker-session.ts';
import type { OtherEnd } from '../facts/both-ends.ts';
import type { HandshakesFact, LinkFact, RestFact } from '../facts/links.ts';
import type { Attempt, PathFacts } from '../facts/paths.ts';
import { once } from '../asking.ts';
import type { TargetSubject } from '../subject.ts';
import { SILENCE_MS } from './peer-door.ts';
import { greetOver } from './peers.ts';

/** How long connections rest with `--soak`: what cheap routers, firewalls and cloud load balancers keep at least. */
export const RESTS_S = [30, 75, 300] as const;
/** A handshake above this is measured again: one retransmission makes any single one slow. */
const SLOW_MS = 150;
const HANDSHAKES = 5;
/** Above the ports that Linux hands out by itself (32768 to 60999), and nobody's by IANA: whoever stands there answers with a reset. */
const CLOSED_PORT = 65_013;
/** A reset takes one round trip; a second SYN goes out after 1 s. */
const CLOSED_PORT_MS = 1_500;

/** The doors to a master's probes. */
export interface LinkProbes {
  /** Probes over one connection to each address that connects; empty for what is no master of bbx. */
  links(target: TargetSubject): Promise<readonly LinkFact[]>;
  /** Connections that rest, one address a family; undefined where it was not asked for. Takes minutes. */
  rests(target: TargetSubject): Promise<readonly RestFact[] | undefined>;
  /** What the far end of a target saw of the tries at it; undefined where it was not asked. */
  otherEnd(target: TargetSubject): Promise<OtherEnd | undefined>;
  /** Addresses whose handshake was slow, measured again. */
  handshakes(target: TargetSubject): Promise<readonly HandshakesFact[]>;
  /** A port that is surely closed, at an address of each family, where none of another host let us in. */
  closedPort(target: TargetSubject): Promise<readonly Attempt[]>;
}

export interface LinkDoor {
  signal: AbortSignal;
  software: string;
  /** Seconds that connections are to rest; empty: not asked for. */
  rests: readonly number[];
  path(target: TargetSubject): Promise<PathFacts>;
  connect(address: string, port: number, limitMs?: number): Promise<Attempt>;
  /** Lets only some connections to a target be open at a time. */
  gate(target: TargetSubject): <Value>(work: () => Promise<Value>) => Promise<Value>;
  seen(target: TargetSubject, links: readonly LinkFact[], rests: readonly RestFact[] | undefined): void;
  seenHandshakes(target: TargetSubject, handshakes: readonly HandshakesFact[]): void;
}

/** The real doors. */
export function createLinkProbes(door: LinkDoor): LinkProbes {
  const onceLinks = once<readonly LinkFact[]>();
  const onceRests = once<readonly RestFact[] | undefined>();
  const onceHandshakes = once<readonly HandshakesFact[]>();
  const onceClosed = once<readonly Attempt[]>();
  const keyOf = ({ host, port, protocol }: TargetSubject) => `${host} ${port ?? ''} ${protocol}`;
  const open = async (target: TargetSubject) => {
    if (target.protocol !== 'bbx' || target.port === undefined || target.stopped !== undefined) return [];
    const { attempts } = await door.path(target);
    return attempts.filter(({ outcome }) => outcome === 'connected');
  };
  const probes: LinkProbes = {
    links: (target) =>
      onceLinks(keyOf(target), async () => {
        const through = door.gate(target);
        const attempts = await open(target);
        const facts = await Promise.all(attempts.map((attempt) => through(() => probeLink(attempt, door))));
        door.seen(target, facts, undefined);
        return facts;
      }),
    rests: (target) =>
      onceRests(keyOf(target), async () => {
        if (door.rests.length === 0) return undefined;
        const links = await probes.links(target);
        const able = links.filter((link) => link.able === true && link.series?.stalled === null);
        const oneEach = ([6, 4] as const).flatMap((family) =>
          able.filter((link) => link.family === family).slice(0, 1),
        );
        const facts = await Promise.all(
          oneEach.flatMap(({ address, family }) =>
            door.rests.flatMap((seconds) =>
              (['master', 'worker'] as const).map((first) =>
                rest({ address, family, port: target.port ?? 0, seconds, first }, door),
              ),
            ),
          ),
        );
        door.seen(target, links, facts);
        return facts;
      }),
    otherEnd: async () => undefined,
    handshakes: (target) =>
      onceHandshakes(keyOf(target), async () => {
        const { attempts } = await door.path(target);
        const slow = attempts.filter(({ outcome, ms }) => outcome === 'connected' && ms > SLOW_MS);
        const facts = await Promise.all(
          slow.map(async (first) => {
            const again: Attempt[] = [first];
            while (again.length < HANDSHAKES) again.push(await door.connect(first.address, first.port));
            return { address: first.address, family: first.family, attempts: again };
          }),
        );
        door.seenHandshakes(target, facts);
        return facts;
      }),
    closedPort: (target) =>
      onceClosed(keyOf(target), async () => {
        const { attempts, listensHere } = await door.path(target);
        // Of this host it is known who listens.
        if (listensHere !== null || attempts.some(({ outcome }) => outcome === 'connected')) return [];
        const sent = attempts.filter(({ local }) => !local);
        const oneEach = ([6, 4] as const).flatMap((family) =>
          sent.filter((attempt) => attempt.family === family).slice(0, 1),
        );
        const port = target.port === CLOSED_PORT ? CLOSED_PORT + 1 : CLOSED_PORT;
        const through = door.gate(target);
        return Promise.all(
          oneEach.map(({ address }) => through(() => door.connect(address, port, CLOSED_PORT_MS))),
        );
      }),
  };
  return probes;
}

async function probeLink({ address, family, port }: Attempt, door: LinkDoor): Promise<LinkFact> {
  let link: LinkFact = {
    ...{ address, family, localEnd: null, nonce: null, able: null, series: null, problem: null },
  };
  try {
    using greeted = await greetAt(address, port, door);
    const { localEnd, master } = greeted;
    const able = master.greeting.capabilities.includes(PROBES);
    link = { ...link, localEnd, nonce: master.nonce, able };
    return able ? { ...link, series: await runSeries(master.ask, { signal: door.signal }) } : link;
  } catch (error) {
    door.signal.throwIfAborted();
    return { ...link, problem: problemOf(error) };
  }
}

async function rest(
  given: { address: string; family: 4 | 6; port: number; seconds: number; first: 'master' | 'worker' },
  door: LinkDoor,
): Promise<RestFact> {
  const { address, family, port, seconds, first } = given;
  const fact = { address, family, seconds, first };
  let rested = false;
  try {
    using greeted = await greetAt(address, port, door);
    const { ask } = greeted.master;
    rested = true;
    const held = ask.hold(seconds, first).then(() => true);
    const spoke = await within(held, seconds * 1_000 + STALL_MS, door.signal);
    if (spoke !== true)
      return { ...fact, alive: false, problem: `no word of the master for ${STALL_MS / 1_000} s` };
    const answered = await within(ask.push(1), STALL_MS, door.signal);
    return answered === undefined
      ? { ...fact, alive: false, problem: `no answer for ${STALL_MS / 1_000} s` }
      : { ...fact, alive: true, problem: null };
  } catch (error) {
    door.signal.throwIfAborted();
    const refused = error instanceof BbxError && error.code === 'BBX-PRO-BUSY';
    return { ...fact, alive: rested && !refused ? false : null, problem: problemOf(error) };
  }
}

/** A greeted master behind a hello that fits into any packet: what large packets do is what the probes are to find out. */
async function greetAt(
  address: string,
  port: number,
  { software, signal }: LinkDoor,
): Promise<{ master: GreetedMaster; localEnd: string } & Disposable> {
  const connection = await dial(
    { to: { kind: 'tcp', host: address, port }, via: [], tls: { firstContact: true, smallHello: true } },
    { signal, timeoutMs: SILENCE_MS },
  );
  const dispose = () => void connection.stream.destroy();
  try {
    const master = await within(
      greetOver(connection, printHostPort(address, port), software, signal),
      SILENCE_MS,
      signal,
    );
    if (master === undefined) throw new Error(`TLS came up, then nothing for ${SILENCE_MS / 1_000} s`);
    return { master, localEnd: connection.local, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function problemOf(error: unknown): string {
  return sentences(error).join(': ').slice(0, 300);
}
