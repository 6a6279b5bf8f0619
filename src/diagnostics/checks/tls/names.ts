import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { certificateEvidence, gather, judged, topics, where, type Looked } from './question.ts';

export const tls03 = defineCheck<'target', Looked>({
  id: 'TLS-03',
  title: 'the certificate is for this name or address',
  about: 'target',
  topics,
  needs: ['PTH-01', 'TLS-06', 'TLS-08', 'TLS-01'],
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    const { facts } = looked;
    const wrong = judged(facts, target).filter(({ fits }) => fits !== 'names');
    const one = wrong[0];
    if (one === undefined) return nothing;
    const [own] = one.chain;
    const address = familyOf(facts.name) !== 0;
    const wanted = `${address ? 'IP' : 'DNS'}:${facts.name}`;
    const of = wrong.length === facts.addresses.length ? target.text : wrong.map(where).join(', ');
    const common = one.fits === 'common name';
    return found({
      status: common ? 'warn' : 'error',
      title: common
        ? `The certificate of ${of} has no subjectAltName; browsers and Go refuse it, others still take its common name`
        : `The certificate of ${of} is not for ${facts.name}${address && own?.names?.includes('IP Address') !== true ? ': it names no address' : ''}`,
      evidence: [
        evidence(
          'tls',
          `names in the certificate of ${where(one)}`,
          own?.names ?? 'no subjectAltName',
          facts.at,
        ),
        ...certificateEvidence(one, facts).slice(0, 1),
      ],
      fix: [
        {
          text: `Have a certificate made with subjectAltName ${wanted}${address ? ', or connect by a name that it has' : ', or connect by a name that it has'}`,
          commands: [`openssl req -new -key key.pem -subj / -addext 'subjectAltName=${wanted}'`],
        },
      ],
    });
  },
});
