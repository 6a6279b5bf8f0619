import { kindOf } from '../../../net/address-kind.ts';
import { TARGET_TOPICS, defineCheck, found, skip, type Draft, type Judgement } from '../../check.ts';
import { targetAddresses } from '../../demand.ts';
import { evidence } from '../../evidence.ts';
import type { HostFacts, SourceFact } from '../../facts/host.ts';

export const hst04 = defineCheck<'host', { host: HostFacts; sources: readonly SourceFact[] }>({
  id: 'HST-04',
  title: 'the source address toward each target',
  about: 'host',
  topics: ['ipv6', 'host', ...TARGET_TOPICS],
  needs: [],
  causes: ['HST-01', 'HST-02', 'HST-03'],
  async gather(context) {
    const targets = await targetAddresses(context);
    const [host, sources] = await Promise.all([
      context.probes.host(),
      context.probes.sources(targets.flatMap((target) => target.addresses)),
    ]);
    return { host, sources };
  },
  judge: ({ host, sources }) => judgeSources(host, sources),
});

function judgeSources(host: HostFacts, sources: readonly SourceFact[]): Judgement {
  if (sources.length === 0) return skip('no target');
  const drafts: Draft[] = [];
  for (const { target, family, source } of sources) {
    if (family !== 6 || source === null || kindOf(target) !== 'global') continue;
    const kind = kindOf(source);
    const flags = host.addresses.find((address) => address.address === source)?.flags ?? [];
    const weak =
      kind === 'link-local' || kind === 'ula'
        ? `a ${kind === 'ula' ? 'unique local' : 'link-local'} address, which the target cannot answer`
        : flags.includes('deprecated')
          ? 'a deprecated address, about to go'
          : undefined;
    const got = [
      evidence(
        'connect',
        `source toward ${target}`,
        `${source}${flags.length > 0 ? ` (${flags.join(', ')})` : ''}`,
        host.at,
      ),
    ];
    if (weak !== undefined) {
      drafts.push({
        status: 'warn',
        title: `Toward ${target} this host uses ${source}: ${weak}`,
        confidence: 'likely',
        evidence: got,
        fix: [{ text: 'Add a global address to the outgoing interface, or renew the one it has' }],
      });
    } else if (flags.includes('temporary')) {
      drafts.push({
        status: 'info',
        title: `Toward ${target} this host uses a temporary address; access lists by address will not hold`,
        evidence: got,
      });
    }
  }
  return found(...drafts);
}
