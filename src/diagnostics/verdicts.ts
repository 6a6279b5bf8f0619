import type { Verdict } from '../api/doctor.ts';
import type { NameFacts } from './facts/names.ts';
import { fastestOf, isWitnessed, type HandshakesFact, type LinkFact, type RestFact } from './facts/links.ts';
import type { SourceFact } from './facts/host.ts';
import type { Attempt, AuthenticationFact, PathFacts, PeerFact } from './facts/paths.ts';
import type { TlsFacts } from './facts/tls.ts';
import type { WayFacts } from './facts/ways.ts';
import { CLIENTS, printFate, simulate } from './simulate.ts';
import type { TargetSubject } from './subject.ts';

/** What was learned of one target by the end of a run; undefined where there was no time or no need. */
export interface TargetFacts {
  readonly name: NameFacts | undefined;
  readonly sources: readonly SourceFact[] | undefined;
  readonly path: PathFacts | undefined;
  readonly peers: readonly PeerFact[] | undefined;
  readonly authentication: AuthenticationFact | undefined;
  readonly links?: readonly LinkFact[] | undefined;
  readonly rests?: readonly RestFact[] | undefined;
  /** Addresses that were slow, measured again. */
  readonly handshakes?: readonly HandshakesFact[] | undefined;
  /** Of a target behind hops. */
  readonly way?: WayFacts | undefined;
  readonly tls?: TlsFacts | undefined;
  /** The address itself leads over no interface (PTH-08), so nothing was tried. */
  readonly leadsNowhere?: boolean;
}

/** Slower than this because of dead addresses is `degraded`. */
const ADDED_DELAY_MS = 1_000;

/** The ladder of one target, rung by rung; `verdict` follows from the rungs and from who bbx's own racer would meet. */
export function verdictOf(target: TargetSubject, from: Verdict['from'], facts: TargetFacts): Verdict {
  const rungs = rungsOf(target, facts);
  const fates =
    facts.path === undefined || facts.name === undefined
      ? undefined
      : simulate(facts.name, measured(facts.path.attempts, facts.handshakes ?? []));
  const clients = Object.fromEntries(
    fates === undefined || facts.path?.attempts.length === 0
      ? []
      : CLIENTS.map((kind) => [kind, printFate(fates[kind])]),
  );
  return {
    from,
    to: target.text,
    plane: target.plane,
    verdict: verdictWord(target, rungs, facts, fates?.bbx),
    rungs,
    clients,
  };
}

/** The attempts with the time that each address takes when no packet is lost: of one alone it cannot be known whether one was. */
function measured(attempts: readonly Attempt[], handshakes: readonly HandshakesFact[]): readonly Attempt[] {
  const fastest = new Map(handshakes.map((fact) => [fact.address, fastestOf(fact)]));
  return attempts.map((attempt) => ({ ...attempt, ms: fastest.get(attempt.address) ?? attempt.ms }));
}

function rungsOf(target: TargetSubject, facts: TargetFacts): Record<string, string> {
  const { name, sources, path, peers, authentication } = facts;
  const attempts = path?.attempts;
  const hops = target.via === undefined ? undefined : hopRungs(facts);
  const asked = (peers ?? []).filter((peer) => peer.kind !== 'silent' || target.protocol !== 'tcp');
  const good = asked.filter((peer) => isGood(peer, target));
  const secured = asked.filter((peer) => peer.tls === true);
  return {
    R0: name === undefined ? 'unknown' : nameRung(name),
    R1:
      facts.leadsNowhere === true
        ? 'fail'
        : sources === undefined
          ? 'unknown'
          : share(sources.filter((source) => source.errno === null).length, sources.length),
    R2:
      target.stopped !== undefined || facts.leadsNowhere === true
        ? 'not-tested'
        : attempts === undefined
          ? 'unknown'
          : share(attempts.filter((attempt) => attempt.outcome === 'connected').length, attempts.length),
    ...hops,
    R3:
      target.protocol === 'tls'
        ? tlsRung(facts)
        : target.protocol !== 'bbx'
          ? 'none'
          : share(secured.length, asked.length),
    R4:
      target.protocol === 'tcp' || target.protocol === 'tls'
        ? 'none'
        : asked.length === 0
          ? 'not-tested'
          : share(good.length, asked.length),
    R5:
      good.length > 0 && target.protocol === 'bbx' ? 'ok' : target.protocol === 'bbx' ? 'not-tested' : 'none',
    R6: authentication === undefined ? 'not-tested' : authenticationRung(authentication),
    ...linkRungs(facts),
  };
}

/** Names and routes behind hops are for the hops to find. */
function hopRungs({ way }: TargetFacts): Record<'R0' | 'R1' | 'R2', string> {
  return { R0: 'none', R1: 'none', R2: way === undefined ? 'unknown' : way.failure === null ? 'ok' : 'fail' };
}

function tlsRung({ tls }: TargetFacts): string {
  const all = tls?.addresses ?? [];
  return share(
    all.filter(({ outcome, first }) => outcome === 'secured' && first?.kind !== 'alert').length,
    all.length,
  );
}

/** Echo, idle hold, and the master's word that it saw us; those who answer no probes are not tested. */
function linkRungs({ links, rests }: TargetFacts): Record<'R7' | 'R8' | 'R9', string> {
  const able = (links ?? []).filter((link) => link.able === true);
  const rested = (rests ?? []).filter(({ alive }) => alive !== null);
  return {
    R7: share(able.filter(({ series }) => series !== null && series.stalled === null).length, able.length),
    R8: share(rested.filter(({ alive }) => alive).length, rested.length),
    R9: share(able.filter(isWitnessed).length, able.length),
  };
}

function authenticationRung({ accepted }: AuthenticationFact): string {
  if (accepted === null) return 'unknown';
  return accepted ? 'ok' : 'fail';
}

function isGood(peer: PeerFact, target: TargetSubject): boolean {
  if (target.protocol !== 'bbx') return peer.kind === target.protocol;
  if (peer.kind !== 'bbx' || peer.instance === null) return false;
  return target.pins.length === 0 || target.pins.includes(peer.instance);
}

function nameRung(name: NameFacts): string {
  if (name.literal !== null) return 'none';
  if (name.lookup === null) return 'unknown';
  return name.lookup.addresses.length > 0 ? 'ok' : 'fail';
}

function share(good: number, all: number): string {
  if (all === 0) return 'not-tested';
  if (good === all) return 'ok';
  return good === 0 ? 'fail' : `${good}/${all}`;
}

function verdictWord(
  target: TargetSubject,
  rungs: Readonly<Record<string, string>>,
  facts: TargetFacts,
  fate: ReturnType<typeof simulate>['bbx'] | undefined,
): Verdict['verdict'] {
  if (target.stopped !== undefined) return 'unknown';
  if (rungs['R0'] === 'fail' || facts.leadsNowhere === true || rungs['R2'] === 'fail') return 'unreachable';
  const strangers = (facts.peers ?? []).filter(
    (peer) => peer.kind !== 'silent' && peer.kind !== 'closed' && !isGood(peer, target),
  );
  if (target.protocol !== 'tcp' && strangers.length > 0) return 'wrong-peer';
  // Whoever is meant, the other one is not.
  const instances = new Set((facts.peers ?? []).flatMap(({ instance }) => instance ?? []));
  if (target.protocol === 'bbx' && instances.size > 1) return 'wrong-peer';
  if (target.protocol === 'tls' && rungs['R3'] === 'fail') return 'unreachable';
  if (rungs['R4'] === 'fail') return 'unreachable';
  // The way is whole; somebody has yet to say yes.
  if (facts.authentication?.code === 'BBX-PRO-PENDING') return 'degraded';
  if (rungs['R6'] === 'fail') return 'unreachable';
  const tested = ['R0', 'R2', 'R4'].every(
    (rung) => rungs[rung] !== 'unknown' && rungs[rung] !== 'not-tested',
  );
  if (!tested) return 'unknown';
  if (rungs['R7'] === 'fail' || rungs['R9'] === 'fail') return 'unreachable';
  const partly = ['R2', 'R3', 'R4', 'R7', 'R9'].some((rung) => rungs[rung]?.includes('/') === true);
  const slow = fate?.kind === 'in' && fate.ms > ADDED_DELAY_MS;
  return partly || slow ? 'degraded' : 'reachable';
}
