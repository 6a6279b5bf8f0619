import { defineCheck, found, nothing, skip, type CheckContext, type Judgement } from '../../check.ts';
import { dnsEvidence, evidence, lookupEvidence } from '../../evidence.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import type { Completion } from '../../facts/resolver.ts';
import type { TargetSubject } from '../../subject.ts';
import { gather as gatherName, isGood, noName, topics } from './question.ts';

interface Completed {
  readonly name: NameFacts;
  readonly completions: readonly Completion[];
}

export const dns09 = defineCheck<'target', Completed>({
  id: 'DNS-09',
  title: 'the name is complete without a search domain',
  about: 'target',
  topics,
  needs: [],
  async gather(context: CheckContext, target) {
    const name = await gatherName(context, target);
    return { name, completions: isSurprise(name) ? await context.probes.completions(name.name) : [] };
  },
  judge: judgeCompletion,
});

/** Programs get addresses that the name itself, asked of DNS as it stands, does not have. */
function isSurprise(name: NameFacts): boolean {
  const looked = name.lookup?.addresses ?? [];
  if (noName(name) !== undefined || name.hosts.length > 0 || name.name.endsWith('.')) return false;
  const known = [...published(name, 4), ...published(name, 6)];
  return looked.length > 0 && looked.every((address) => !known.includes(address));
}

function judgeCompletion({ name, completions }: Completed, _target: TargetSubject): Judgement {
  const none = noName(name);
  if (none !== undefined) return skip(none);
  const looked = name.lookup?.addresses ?? [];
  const [used] = completions.filter(({ addresses }) => addresses.some((address) => looked.includes(address)));
  if (used === undefined) return nothing;
  const whole = name.servers.some((server) => isGood(server.A) || isGood(server.AAAA));
  const also = whole && [...published(name, 4), ...published(name, 6)].length > 0;
  return found({
    status: 'warn',
    title: also
      ? `"${name.name}" becomes "${used.name}" here, by the search list of resolv.conf, although there is a "${name.name}"`
      : `"${name.name}" works here only as "${used.name}", by the search list of resolv.conf: elsewhere it means something else, or nothing`,
    evidence: [
      ...lookupEvidence(name),
      evidence('dns', `${used.name}`, used.addresses.join(', '), name.at),
      ...dnsEvidence(name),
    ],
    fix: [
      {
        text: `Write the whole name, ${used.name}`,
        commands: ["grep -E '^(search|domain|options)' /etc/resolv.conf"],
      },
    ],
  });
}
