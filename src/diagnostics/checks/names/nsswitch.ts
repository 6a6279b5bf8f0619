import { defineCheck, found, skip, type CheckContext, type Draft, type Judgement } from '../../check.ts';
import { evidence, lookupEvidence } from '../../evidence.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import type { ResolverFacts } from '../../facts/resolver.ts';
import { HOST_NAME_TOPICS, namesOf } from './question.ts';

interface Switch {
  readonly resolver: ResolverFacts;
  readonly names: readonly NameFacts[];
}

/** Sources that ask nameservers: glibc's own, systemd-resolved's, nscd's and sssd's caches aside. */
const ASKS_DNS = new Set(['dns', 'resolve']);

export const dns10 = defineCheck<'host', Switch>({
  id: 'DNS-10',
  title: 'where programs look names up (nsswitch.conf)',
  about: 'host',
  topics: HOST_NAME_TOPICS,
  needs: [],
  async gather(context: CheckContext) {
    const [resolver, names] = await Promise.all([context.probes.resolver(), namesOf(context)]);
    return { resolver, names };
  },
  judge: judgeSwitch,
});

function judgeSwitch({ resolver, names }: Switch): Judgement {
  const { nsswitch, at } = resolver;
  if (nsswitch === null) return skip('this system has no "hosts:" line in nsswitch.conf');
  const line = evidence('file', '/etc/nsswitch.conf hosts:', nsswitch.join(' '), at);
  const sources = nsswitch.filter((word) => !word.startsWith('['));
  const drafts: Draft[] = [];
  const show = { commands: ['grep ^hosts /etc/nsswitch.conf'] };
  if (!sources.some((source) => ASKS_DNS.has(source))) {
    const lost = names.filter(
      (name) =>
        name.lookup?.addresses.length === 0 && published(name, 4).length + published(name, 6).length > 0,
    );
    drafts.push({
      status: lost.length > 0 ? 'error' : 'warn',
      title:
        lost.length > 0
          ? `Programs do not ask DNS for "${lost[0]?.name}": the "hosts:" line of nsswitch.conf has no "dns"`
          : 'Programs do not ask DNS: the "hosts:" line of nsswitch.conf has no "dns"',
      evidence: [line, ...lost.flatMap(lookupEvidence)],
      fix: [{ text: 'Write "hosts: files dns"', ...show }],
    });
  }
  if (!sources.includes('files')) {
    const meant = names.filter((name) => name.hosts.length > 0);
    drafts.push({
      status: meant.length > 0 ? 'warn' : 'info',
      title: 'The hosts file is not read: the "hosts:" line of nsswitch.conf has no "files"',
      evidence: [line, ...meant.flatMap(lookupEvidence)],
      fix: [{ text: 'Write "files" first in that line', ...show }],
    });
  }
  // `mdns4_minimal [NOTFOUND=return]` ends the search for every name under .local, and knows IPv4 alone.
  const local = names.filter(({ name }) => /\.local\.?$/i.test(name));
  const mdns = nsswitch.findIndex((word) => /^mdns4?(_minimal)?$/.test(word));
  const ends = mdns >= 0 && /NOTFOUND=return/i.test(nsswitch[mdns + 1] ?? '');
  const hidden = local.filter((name) => published(name, 4).length + published(name, 6).length > 0);
  if (ends && hidden.length > 0) {
    const only4 = nsswitch[mdns]?.startsWith('mdns4') === true;
    drafts.push({
      status: hidden.some((name) => name.lookup?.addresses.length === 0) ? 'error' : 'warn',
      title: `"${hidden[0]?.name}" is asked of multicast DNS${only4 ? ', for IPv4 alone,' : ''} and never of a nameserver: nsswitch.conf ends the search there`,
      evidence: [line, ...hidden.flatMap(lookupEvidence)],
      fix: [
        {
          text: 'Give that host a name that does not end in .local, which belongs to multicast DNS (RFC 6762)',
        },
        { text: `Or put "dns" before "${nsswitch[mdns] ?? 'mdns'}" in that line`, ...show },
      ],
    });
  }
  return found(...drafts);
}
