import { familyOf, printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Draft, type Judgement } from '../../check.ts';
import { dnsEvidence, evidence, pasted } from '../../evidence.ts';
import type { ChatSubject } from '../../far-subjects.ts';
import type { ChatFacts } from '../../facts/chat.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import { PLACE_CAUSES } from './question.ts';

interface Chat {
  readonly facts: ChatFacts;
  readonly name: NameFacts;
}

export const ntf10 = defineCheck<'chat', Chat>({
  id: 'NTF-10',
  title: 'the chat server that stock Buildbot joins',
  about: 'chat',
  topics: ['mail'],
  needs: [],
  causes: PLACE_CAUSES,
  async gather({ probes }, chat) {
    const [facts, name] = await Promise.all([probes.chat(chat), probes.name(chat.host)]);
    return { facts, name };
  },
  judge: judgeChat,
});

function judgeChat({ facts, name }: Chat, chat: ChatSubject): Judgement {
  const has = (family: 4 | 6) =>
    published(name, family).length > 0 || name.hosts.some((address) => familyOf(address) === family);
  const got = facts.addresses.map((one) =>
    evidence(
      'peer',
      `IRC at ${printHostPort(one.address, chat.port)}`,
      `${one.outcome}: ${one.said} in ${one.ms} ms`,
      facts.at,
    ),
  );
  // The bot goes by reactor.connectTCP and connectSSL, which look up A records.
  if (name.literal === null && !name.localhost && has(6) && !has(4))
    return found({
      status: 'error',
      title: `"${name.name}" has IPv6 addresses alone: stock Buildbot's IRC bot asks for A alone and does not come`,
      evidence: [...dnsEvidence(name), ...got],
      fix: [
        { text: `Give the server an A record, or write its address: host="${published(name, 6)[0] ?? ''}"` },
      ],
    });
  if (facts.addresses.length === 0) return skip('PTH-01');
  const bad = facts.addresses.filter(({ outcome }) => outcome !== 'irc');
  const [first] = bad;
  if (first === undefined) return nothing;
  const sure = first.outcome === 'strange' || first.outcome === 'no TLS';
  const titles: Readonly<Record<typeof first.outcome, string>> = {
    irc: '',
    strange: `is no IRC server: ${first.said}`,
    'no TLS': `has useSSL, and no TLS comes up there: ${first.said}`,
    silent: 'takes connections, and says nothing',
    closed: `ends connections at once: ${first.said}`,
  };
  const status: Draft['status'] = sure && bad.length === facts.addresses.length ? 'error' : 'warn';
  return found({
    status,
    confidence: sure ? 'proven' : 'likely',
    title: `${bad.length === facts.addresses.length ? chat.text : printHostPort(first.address, chat.port)} ${titles[first.outcome]}`,
    evidence: got,
    fix: [
      {
        text: 'Check host and port (6667, or 6697 with useSSL=True), and whether the server lets this address in',
        commands: [`bbx doctor reach ${pasted(chat.text)} --protocol tcp`],
      },
    ],
  });
}
