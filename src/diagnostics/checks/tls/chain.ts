import { defineCheck, found, nothing, skip, type Draft } from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { TlsAddressFact, TlsFacts } from '../../facts/tls.ts';
import type { TargetSubject } from '../../subject.ts';
import {
  certificateEvidence,
  gather,
  isByKey,
  judged,
  tlsEvidence,
  topics,
  where,
  type Looked,
} from './question.ts';

export const tls02 = defineCheck<'target', Looked>({
  id: 'TLS-02',
  title: 'the certificate is signed by an authority that is trusted',
  about: 'target',
  topics,
  needs: ['PTH-01', 'TLS-06', 'TLS-08', 'TLS-01'],
  causes: ['TLS-10'],
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    const { facts } = looked;
    const byKey = facts.addresses.find((one) => one.outcome === 'secured' && isByKey(one, facts, target));
    if (byKey !== undefined)
      return target.protocol === 'bbx' ? judgePin(byKey, facts, target) : ownKey(byKey, facts, target);
    const untrusted = judged(facts, target).filter(
      ({ distrust }) => distrust !== null && !DATES.has(distrust),
    );
    if (untrusted.length === 0) return nothing;
    return found(...firstOfEachKind(untrusted).map((one) => draftFor(one, facts, target, untrusted.length)));
  },
});

/** TLS-04 speaks of these. */
const DATES = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
const NO_ISSUER = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
]);

function firstOfEachKind(untrusted: readonly TlsAddressFact[]): TlsAddressFact[] {
  return untrusted.filter(
    (one, index) =>
      untrusted.findIndex(({ distrust, pin }) => distrust === one.distrust && pin === one.pin) === index,
  );
}

function draftFor(one: TlsAddressFact, facts: TlsFacts, target: TargetSubject, count: number): Draft {
  const last = one.chain.at(-1);
  const trusted = facts.ca === null ? 'the usual authorities' : facts.ca;
  const of = count === facts.addresses.length ? target.text : where(one);
  const selfSigned = one.distrust === 'DEPTH_ZERO_SELF_SIGNED_CERT';
  const title = selfSigned
    ? `The certificate of ${of} is signed by itself, and is not in ${trusted}`
    : NO_ISSUER.has(one.distrust ?? '')
      ? `Nobody in ${trusted} signed the certificate of ${of}: its issuer is ${last?.issuer ?? 'unknown'}${one.chain.length === 1 ? ', and the server sent no intermediate certificate' : ''}`
      : `The certificate of ${of} is not trusted (${one.distrust ?? ''})`;
  return {
    status: 'error',
    title,
    evidence: [
      ...tlsEvidence(facts, [one]),
      evidence('tls', `verdict of OpenSSL on ${where(one)}`, one.distrust ?? '', facts.at),
      ...certificateEvidence(one, facts),
    ],
    fix: [
      ...(selfSigned || one.chain.length > 1
        ? []
        : [
            {
              text: 'Let the server send its whole chain: its own certificate, then each intermediate one, in one file',
            },
          ]),
      {
        text: 'Or trust the authority: give its certificate to the programs that connect',
        commands: [`bbx doctor tls ${pasted(target.text)} --ca FILE`, 'export NODE_EXTRA_CA_CERTS=FILE'],
      },
    ],
  };
}

function judgePin(one: TlsAddressFact, facts: TlsFacts, target: TargetSubject) {
  if (target.pins.length === 0 || one.pin === null || target.pins.includes(one.pin)) return nothing;
  return found({
    status: 'error',
    title: `${target.text} shows another key than the one that is pinned`,
    evidence: [
      ...certificateEvidence(one, facts),
      evidence('tls', `key of ${where(one)}`, one.pin, facts.at),
      evidence('file', `${target.source} pin`, target.pins.join(', '), facts.at),
    ],
    fix: [
      { text: 'If its key was replaced on purpose, take a new join string; else look who answers there' },
    ],
  });
}

function ownKey(one: TlsAddressFact, facts: TlsFacts, target: TargetSubject) {
  return found({
    status: 'info',
    title: `${target.text} shows the certificate that a bbx master makes for itself: workers know it by its key, browsers do not`,
    evidence: [evidence('tls', `key of ${where(one)}`, one.pin ?? '', facts.at)],
  });
}
