import { defineCheck, found, skip, type Draft, type JudgeContext, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ServiceFacts } from '../../facts/service.ts';
import { insistsOn, leavesOut } from '../../intent.ts';
import type { ProgramSubject } from '../../subject.ts';
import { gather, noService, property, systemctl } from './question.ts';

export const svc02 = defineCheck<'program', ServiceFacts>({
  id: 'SVC-02',
  title: 'its unit lets it use the network',
  about: 'program',
  topics: ['host', 'ipv6'],
  needs: [],
  gather,
  judge: judgeSandbox,
});

function judgeSandbox(facts: ServiceFacts, _program: ProgramSubject, context: JudgeContext): Judgement {
  const none = noService(facts);
  if (none !== undefined) return skip(none);
  const { unit, at } = facts;
  const fix = (line: string) => [
    {
      text: `Write "${line}" under [Service] of a drop-in, and start the service again`,
      commands: [systemctl(facts, 'edit'), systemctl(facts, 'restart')],
    },
  ];
  const got = (name: string) => [
    evidence('cmd', `systemctl show ${unit}: ${name}`, property(facts, name), at),
  ];
  const drafts: Draft[] = [];
  if (property(facts, 'PrivateNetwork') === 'yes') {
    drafts.push({
      status: 'error',
      title: `${unit} has PrivateNetwork=yes: the program sees no network but its own loopback`,
      evidence: got('PrivateNetwork'),
      fix: fix('PrivateNetwork=no'),
    });
  }
  const refused = refusedFamilies(property(facts, 'RestrictAddressFamilies'));
  for (const [name, family] of [
    ['AF_INET6', 6],
    ['AF_INET', 4],
  ] as const) {
    if (!refused(name) || leavesOut(context.intent, family)) continue;
    drafts.push({
      status:
        insistsOn(context.intent, family) || (refused('AF_INET') && refused('AF_INET6')) ? 'error' : 'warn',
      title: `${unit} forbids IPv${family} to the program (RestrictAddressFamilies)`,
      evidence: got('RestrictAddressFamilies'),
      fix: fix('RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK'),
    });
  }
  if (refused('AF_UNIX')) {
    drafts.push({
      status: 'error',
      title: `${unit} forbids unix sockets to the program, without which it has no control socket (RestrictAddressFamilies)`,
      evidence: got('RestrictAddressFamilies'),
      fix: fix('RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK'),
    });
  }
  const denied = property(facts, 'IPAddressDeny').split(/\s+/);
  for (const [prefix, family] of [
    ['::/0', 6],
    ['0.0.0.0/0', 4],
  ] as const) {
    if (!denied.includes(prefix) || leavesOut(context.intent, family)) continue;
    const allowed = property(facts, 'IPAddressAllow');
    drafts.push({
      status: 'warn',
      confidence: 'likely',
      title: `${unit} lets the program reach no IPv${family} address but ${allowed === '' ? 'none' : allowed} (IPAddressDeny)`,
      evidence: [...got('IPAddressDeny'), ...got('IPAddressAllow')],
      fix: fix(`IPAddressAllow=${prefix}`),
    });
  }
  return found(...drafts);
}

/** A list of families that are allowed, or, behind `~`, of those that are not; `none` allows none, and nothing at all allows all. */
function refusedFamilies(text: string): (family: string) => boolean {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return () => false;
  const denies = words[0]?.startsWith('~') === true;
  const named = new Set(words.map((word) => word.replace(/^~/, '')));
  return (family) => named.has(family) === denies;
}
