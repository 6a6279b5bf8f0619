import { kindOf } from '../../../net/address-kind.ts';
import { USED_NAMESERVERS, type ResolvConf } from '../../../net/dns/resolv-conf.ts';
import { defineCheck, found, type CheckContext, type Draft, type Judgement } from '../../check.ts';
import { dnsEvidence, evidence, lookupEvidence } from '../../evidence.ts';
import type { NameFacts } from '../../facts/names.ts';
import type { ResolverFacts } from '../../facts/resolver.ts';
import { HOST_NAME_TOPICS, isAnswered, namesOf } from './question.ts';

interface Form {
  readonly resolver: ResolverFacts;
  readonly names: readonly NameFacts[];
}

export const dns13 = defineCheck<'host', Form>({
  id: 'DNS-13',
  title: 'the form of resolv.conf',
  about: 'host',
  topics: HOST_NAME_TOPICS,
  needs: [],
  causes: ['LIM-01'],
  async gather(context: CheckContext) {
    const [resolver, names] = await Promise.all([context.probes.resolver(), namesOf(context)]);
    return { resolver, names };
  },
  judge: judgeForm,
});

function judgeForm({ resolver, names }: Form): Judgement {
  const { conf, at } = resolver;
  // A name that the hosts file or another source gives does not miss DNS.
  const lost = names.filter((name) => (name.lookup?.addresses.length ?? 0) === 0 && name.hosts.length === 0);
  if (conf === null || conf.nameservers.length === 0) return judgeEmpty(resolver, lost);
  const show = { commands: ['cat /etc/resolv.conf'] };
  const drafts: Draft[] = [...strangeLines(conf, at, names.length > 0)];
  const stubs = conf.nameservers.filter((server) => kindOf(server) === 'loopback');
  // Nobody is there: the stub that the file names runs elsewhere, or not at all.
  const dead = stubs.filter((server) =>
    names.some((name) =>
      name.servers.some(
        (one) =>
          one.server === server && one.A.outcome === 'unreachable' && one.AAAA.outcome === 'unreachable',
      ),
    ),
  );
  if (dead.length > 0) {
    const works = names.some((name) => name.servers.some((one) => isAnswered(one.A) || isAnswered(one.AAAA)));
    drafts.push({
      status: works ? 'warn' : 'error',
      title: `resolv.conf names ${dead.join(', ')}, and no nameserver runs there: the file is another host's, or its local resolver is down`,
      evidence: [
        evidence('file', '/etc/resolv.conf', conf.nameservers.join(', '), at),
        ...names.slice(0, 1).flatMap((name) => dnsEvidence(name)),
      ],
      fix: [
        {
          text: 'In a container or network namespace: name nameservers that it can reach; else start the local resolver',
          commands: ['cat /etc/resolv.conf', 'systemctl status systemd-resolved'],
        },
      ],
    });
  }
  const zoneless = conf.nameservers.filter(
    (server) => kindOf(server) === 'link-local' && !server.includes('%'),
  );
  const used = conf.nameservers.slice(0, USED_NAMESERVERS);
  if (zoneless.some((server) => server.includes(':'))) {
    drafts.push({
      status: used.every((server) => zoneless.includes(server)) && lost.length > 0 ? 'error' : 'warn',
      title: `Nameserver ${zoneless.join(', ')} is a link-local address without its interface: nothing can be sent there`,
      evidence: [evidence('file', '/etc/resolv.conf nameserver', zoneless.join(', '), at)],
      fix: [{ text: `Write the interface behind it: nameserver ${zoneless[0] ?? ''}%eth0`, ...show }],
    });
  }
  if (conf.nameservers.length > USED_NAMESERVERS) {
    drafts.push({
      status: 'info',
      title: `resolv.conf has ${conf.nameservers.length} nameservers; programs use the first ${USED_NAMESERVERS} alone`,
      evidence: [evidence('file', '/etc/resolv.conf', conf.nameservers.join(', '), at)],
    });
  }
  return found(...drafts);
}

function judgeEmpty({ conf, at }: ResolverFacts, lost: readonly NameFacts[]): Judgement {
  const got = evidence(
    'file',
    '/etc/resolv.conf',
    conf === null ? 'missing, or not readable' : 'no nameserver',
    at,
  );
  const [first] = lost;
  if (first === undefined) {
    // Without any name in question, and with names that are found all the same, nothing is missed.
    return conf !== null && conf.strange.length > 0
      ? found(...strangeLines(conf, at, true))
      : found({
          status: 'info',
          title: 'This host has no nameserver in /etc/resolv.conf; nothing here needs one',
          evidence: [got],
        });
  }
  const strange = conf === null ? [] : strangeLines(conf, at, true);
  if (strange.length > 0) return found(...strange.map((draft): Draft => ({ ...draft, status: 'error' })));
  return found({
    status: 'error',
    title: `"${first.name}" cannot be resolved: /etc/resolv.conf names no nameserver`,
    evidence: [got, ...lookupEvidence(first)],
    fix: [
      {
        text: 'Name a nameserver that this host can reach: "nameserver ADDRESS"',
        commands: ['cat /etc/resolv.conf'],
      },
    ],
  });
}

/** Lines that the system passes over in silence; a nameserver among them is one that somebody counts on. */
function strangeLines(conf: ResolvConf, at: string, matters: boolean): Draft[] {
  const servers = conf.strange.filter(({ text }) => /^nameserver\b/.test(text));
  if (servers.length === 0) return [];
  return [
    {
      status: matters ? 'warn' : 'info',
      title: `resolv.conf: "${servers[0]?.text ?? ''}" is passed over, since that is no bare address`,
      evidence: servers.map(({ line, text }) => evidence('file', `/etc/resolv.conf:${line}`, text, at)),
      fix: [
        {
          text: 'Write the address alone, without brackets, port or name: nameserver 2001:db8::53',
          commands: ['grep -n nameserver /etc/resolv.conf'],
        },
      ],
    },
  ];
}
