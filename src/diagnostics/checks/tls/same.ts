import { defineCheck, found, nothing, skip } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { gather, topics, where, type Looked } from './question.ts';

export const tls05 = defineCheck<'target', Looked>({
  id: 'TLS-05',
  title: 'the same certificate at every address',
  about: 'target',
  topics,
  needs: ['PTH-01', 'TLS-06', 'TLS-08', 'TLS-01'],
  causes: ['TLS-02', 'TLS-03', 'TLS-04'],
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    const { facts } = looked;
    const secured = facts.addresses.filter(({ outcome, chain }) => outcome === 'secured' && chain.length > 0);
    if (secured.length < 2) return skip('only one address answers');
    const prints = new Set(secured.map(({ chain }) => chain[0]?.fingerprint));
    if (prints.size === 1) return nothing;
    // Machines behind one name may each have a certificate of their own; another authority is somebody else's.
    const issuers = new Set(secured.map(({ chain }) => chain[0]?.issuer));
    const byFamily = ([4, 6] as const).map(
      (family) =>
        new Set(secured.filter((one) => one.family === family).map(({ chain }) => chain[0]?.fingerprint)),
    );
    const splits = byFamily.every((one) => one.size === 1);
    return found({
      status: 'warn',
      title:
        issuers.size > 1
          ? `The addresses of ${target.text} show certificates of different authorities: another server, or somebody between`
          : `The addresses of ${target.text} show ${prints.size} different certificates${splits ? ', one over IPv4 and one over IPv6' : ''}`,
      evidence: secured.map((one) =>
        evidence(
          'tls',
          `certificate of ${where(one)}`,
          `${one.chain[0]?.fingerprint ?? ''}; signed by ${one.chain[0]?.issuer ?? ''}`,
          facts.at,
        ),
      ),
      fix: [{ text: 'Give every server behind the name the new certificate, and let it read it' }],
    });
  },
});
