import type { Evidence } from '../../../api/doctor.ts';
import { printHostPort } from '../../../net/endpoint/host.ts';
import { TARGET_TOPICS, type CheckContext, type Topic } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { CertificateFact, TlsAddressFact, TlsFacts } from '../../facts/tls.ts';
import type { TargetSubject } from '../../subject.ts';

/** `reach` and others look at TLS where a web server has it. */
export const topics = TARGET_TOPICS;

/** What a check of TLS gets: facts, or why there are none. */
export type Looked = { readonly facts: TlsFacts } | { readonly why: string };

/** Looks at TLS of a target, where it is in question at all. */
export async function gather(context: CheckContext, target: TargetSubject): Promise<Looked> {
  if (target.port === undefined) return { why: 'only the name is in question' };
  if (target.stopped !== undefined) return { why: target.stopped };
  if (!tlsWanted(target, context.topic)) {
    if (target.protocol === 'bbx') return { why: 'a bbx master is known by its key: PRO-01' };
    if (target.protocol !== 'http') return { why: 'no TLS is asked for' };
    const peers = await context.probes.peers(target);
    if (!peers.some(({ tls }) => tls === true)) return { why: 'it answers without TLS' };
  }
  return { facts: await context.probes.tls(target) };
}

/** Whoever names a target of `doctor tls` asks for it. */
export function tlsWanted(target: TargetSubject, topic: Topic | undefined): boolean {
  return target.via === undefined && (target.protocol === 'tls' || topic === 'tls');
}

/** Addresses with a handshake that went well, and a certificate that is to be judged by authority and name. */
export function judged(facts: TlsFacts, target: TargetSubject): TlsAddressFact[] {
  return facts.addresses.filter(
    (one) => one.outcome === 'secured' && one.chain.length > 0 && !isByKey(one, facts, target),
  );
}

/** A farm's own certificate is known by its key; who names a file of authorities wants another judgement. */
export function isByKey(one: TlsAddressFact, facts: TlsFacts, target: TargetSubject): boolean {
  return facts.ca === null && (target.protocol === 'bbx' || one.farm);
}

export function where(one: TlsAddressFact): string {
  return printHostPort(one.address, one.port);
}

/** `TLSv1.3, TLS_AES_256_GCM_SHA384, in 12 ms`, or how it failed. */
export function tlsEvidence(facts: TlsFacts, only: readonly TlsAddressFact[] = facts.addresses): Evidence[] {
  return only.map((one) =>
    evidence('tls', `TLS with ${where(one)} as ${facts.name}`, outcomeOf(one), facts.at),
  );
}

function outcomeOf(one: TlsAddressFact): string {
  if (one.outcome === 'secured') return `${one.version ?? ''}, ${one.cipher ?? ''}, in ${one.ms} ms`;
  const bytes = one.firstBytes === '' ? '' : `, first bytes ${one.firstBytes.slice(0, 32)}`;
  return `${one.outcome}${one.code === null ? '' : ` (${one.code})`} after ${one.ms} ms${bytes}`;
}

/** Who a certificate is for, who signed it, and until when. */
export function certificateEvidence(one: TlsAddressFact, facts: TlsFacts): Evidence[] {
  return one.chain.map((certificate, index) =>
    evidence(
      'tls',
      `${index === 0 ? 'certificate' : `certificate ${index + 1} of the chain`} of ${where(one)}`,
      describe(certificate),
      facts.at,
    ),
  );
}

function describe({ subject, names, issuer, from, to }: CertificateFact): string {
  const dates = `${dayOf(from)} to ${dayOf(to)}`;
  return `${subject}; ${names ?? 'no subjectAltName'}; ${dates}; signed by ${subject === issuer ? 'itself' : issuer}`;
}

export function dayOf(epochMs: number): string {
  return Number.isNaN(epochMs) ? 'an unreadable date' : new Date(epochMs).toISOString().slice(0, 10);
}
