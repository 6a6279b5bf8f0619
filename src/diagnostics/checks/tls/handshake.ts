import { defineCheck, found, nothing, skip } from '../../check.ts';
import { gather, tlsEvidence, topics, where, type Looked } from './question.ts';

/** More than two round trips around the world. */
const SLOW_MS = 3_000;

export const tls01 = defineCheck<'target', Looked>({
  id: 'TLS-01',
  title: 'a TLS handshake with each address',
  about: 'target',
  topics,
  needs: ['PTH-01', 'TLS-06', 'TLS-08'],
  causes: ['PTH-06', 'PTH-01', 'TLS-06', 'TLS-08', 'PRO-01', 'PRO-03'],
  rung: 'R3',
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    const { facts } = looked;
    if (facts.addresses.length === 0) {
      return found({
        status: 'unknown',
        title: `TLS of ${target.text} could not be looked at`,
        evidence: [],
      });
    }
    const refused = facts.addresses.filter(
      ({ outcome }) => outcome === 'refused' || outcome === 'unreachable',
    );
    if (refused.length > 0) {
      const all = refused.length === facts.addresses.length;
      return found({
        status: all ? 'error' : 'warn',
        title: `TLS with ${all ? target.text : refused.map(where).join(', ')} fails: ${refused[0]?.code ?? 'refused'}`,
        evidence: tlsEvidence(facts),
        fix: [{ text: 'Look into the log of the server: it refused the handshake, and says why there' }],
      });
    }
    const slow = facts.addresses.filter(({ ms, outcome }) => outcome === 'secured' && ms > SLOW_MS);
    if (slow.length === 0) return nothing;
    return found({
      status: 'warn',
      title: `TLS with ${slow.map(where).join(', ')} takes more than ${SLOW_MS / 1_000} s`,
      evidence: tlsEvidence(facts, slow),
      fix: [{ text: 'Look at the load of the server, and for lost packets on the way (PTH-06)' }],
    });
  },
});
