import { defineCheck, found, nothing, skip } from '../../check.ts';
import { pasted, seconds } from '../../evidence.ts';
import type { TlsAddressFact } from '../../facts/tls.ts';
import { PEER_NAMES } from '../peers/question.ts';
import { gather, tlsEvidence, topics, where, type Looked } from './question.ts';

export const tls06 = defineCheck<'target', Looked>({
  id: 'TLS-06',
  title: 'it speaks TLS, not plain text',
  about: 'target',
  topics,
  needs: ['PTH-01'],
  causes: ['PTH-06', 'PTH-01', 'PRO-01', 'PRO-03'],
  gather,
  judge(looked, target) {
    if ('why' in looked) return skip(looked.why);
    const { facts } = looked;
    const bad = facts.addresses.filter(({ outcome }) => ['plain', 'closed', 'silent'].includes(outcome));
    const [one] = bad;
    if (one === undefined) return nothing;
    const all = bad.length === facts.addresses.length;
    const of = all ? target.text : bad.map(where).join(', ');
    return found({
      status: 'error',
      title: `${of} ${wordsOf(one)}`,
      evidence: tlsEvidence(facts),
      fix: [
        {
          text: fixOf(one),
          commands: [
            `bbx doctor reach ${pasted(target.text)} --protocol ${one.speaks === 'http' ? 'http' : 'tcp'}`,
          ],
        },
      ],
    });
  },
});

function wordsOf(one: TlsAddressFact): string {
  if (one.outcome === 'silent') return `says nothing to a TLS greeting for ${seconds(one.ms)}`;
  if (one.outcome === 'closed') return 'closes the connection when TLS is offered';
  const kind = one.speaks ?? 'other';
  return kind === 'other'
    ? `does not speak TLS (first bytes ${one.firstBytes.slice(0, 16)})`
    : `does not speak TLS: it is ${PEER_NAMES[kind]} in plain text`;
}

function fixOf(one: TlsAddressFact): string {
  if (one.outcome === 'silent') return 'Look whether the program behind it is alive, or waits for plain text';
  if (one.outcome === 'closed')
    return 'Look whether TLS is on at that port, and whether a proxy or tunnel in front of it has lost its far end';
  if (one.speaks === 'smtp' || one.speaks === 'imap' || one.speaks === 'pop3')
    return 'Use the port that begins with TLS (465 for mail), or let the program begin in plain text and ask for STARTTLS';
  return 'Switch TLS on at that port, connect to the port that has it, or connect without TLS';
}
