import { kindOf } from '../../../net/address-kind.ts';
import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { dnsEvidence, evidence, lookupEvidence, pasted } from '../../evidence.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import { gather, noName, topics } from './question.ts';

export const dns07 = defineCheck<'target', NameFacts>({
  id: 'DNS-07',
  title: 'the hosts file against DNS',
  about: 'target',
  topics,
  needs: [],
  gather,
  judge: (name, _target, context) => judgeHostsFile(name, context),
});

function judgeHostsFile(name: NameFacts, context: JudgeContext): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  if (name.hosts.length === 0) return nothing;
  const dns = [...published(name, 4), ...published(name, 6)];
  // A host's own name on loopback is Debian's custom, and DNS-08 looks at what it does.
  if (dns.length === 0 || (name.ownName && name.hosts.every((address) => kindOf(address) === 'loopback')))
    return nothing;
  const differ = name.hosts.some((address) => !dns.includes(address));
  // Programs take the hosts file alone, so a family that it leaves out is not there for them.
  const hidden = context.intent.insists.find(
    (family) =>
      published(name, family).length > 0 && !name.hosts.some((address) => familyOf(address) === family),
  );
  if (!differ && hidden === undefined) return nothing;
  const looped =
    name.hosts.some((address) => kindOf(address) === 'loopback') &&
    dns.some((address) => kindOf(address) !== 'loopback');
  return found({
    status: looped ? 'error' : 'warn',
    title: looped
      ? `The hosts file sends "${name.name}" to this host (${name.hosts.join(', ')}); DNS says ${dns.join(', ')}`
      : !differ
        ? `The hosts file hides IPv${hidden} of "${name.name}": ${name.hosts.join(', ')} instead of ${dns.join(', ')}`
        : `The hosts file overrides DNS for "${name.name}": ${name.hosts.join(', ')} instead of ${dns.join(', ')}`,
    evidence: [
      evidence('file', `/etc/hosts: ${name.name}`, name.hosts.join(', '), name.at),
      ...dnsEvidence(name),
      ...lookupEvidence(name),
    ],
    fix: [
      {
        text: 'Remove or mend the line in /etc/hosts',
        commands: [`grep -n -w ${pasted(name.name)} /etc/hosts`],
      },
    ],
  });
}
