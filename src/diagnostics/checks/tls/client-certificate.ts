import { defineCheck, found, nothing, skip } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { gather, tlsEvidence, topics, where, type Looked } from './question.ts';

export const tls07 = defineCheck<'target', Looked>({
  id: 'TLS-07',
  title: 'it takes a client without a certificate',
  about: 'target',
  topics,
  needs: ['PTH-01', 'TLS-06', 'TLS-08'],
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    const { facts } = looked;
    const refused = facts.addresses.filter(({ first }) => first?.kind === 'alert');
    const [one] = refused;
    if (one === undefined) return nothing;
    const code = one.first?.code ?? '';
    const wanted = /CERTIFICATE/.test(code);
    return found({
      status: 'error',
      title: wanted
        ? `${target.text} wants a certificate of the client, and says so only after the handshake`
        : `${target.text} ends TLS right after the handshake (${code})`,
      evidence: [
        ...tlsEvidence(facts, refused),
        ...refused.map((each) =>
          evidence('tls', `first word of ${where(each)}`, each.first?.code ?? '', facts.at),
        ),
      ],
      fix: [
        {
          text: wanted
            ? 'Give the program that connects a key and certificate that the server knows, or let the server not ask for one (nginx: ssl_verify_client)'
            : 'Look into the log of the server',
        },
      ],
    });
  },
});
