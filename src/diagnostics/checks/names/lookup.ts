import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { dnsEvidence, lookupEvidence, pasted } from '../../evidence.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import { gather, topics } from './question.ts';

export const dns02 = defineCheck<'target', NameFacts>({
  id: 'DNS-02',
  title: 'what programs get for the name',
  about: 'target',
  topics,
  needs: ['DNS-01'],
  causes: ['LIM-01', 'DNS-01', 'DNS-10', 'DNS-13', 'DNS-12', 'HST-01', 'HST-02', 'HST-08', 'DNS-03'],
  rung: 'R0',
  gather,
  judge: (name) => judgeLookup(name),
});

function judgeLookup(name: NameFacts): Judgement {
  if (name.literal !== null) return skip('it is an address, not a name');
  if (name.untold === true) return skip('behind hops it is looked up there');
  if (name.lookup === null) {
    return found({
      status: 'unknown',
      title: `The system's lookup of "${name.name}" gave nothing in time`,
      evidence: lookupEvidence(name),
    });
  }
  if (name.lookup.addresses.length > 0) return nothing;
  const inDns = [...published(name, 4), ...published(name, 6)];
  return found({
    status: 'error',
    title:
      inDns.length > 0
        ? `DNS has addresses for "${name.name}", but programs on this host get none (${name.lookup.errno ?? 'nothing'})`
        : `Programs on this host get no address for "${name.name}" (${name.lookup.errno ?? 'nothing'})`,
    evidence: [...lookupEvidence(name), ...dnsEvidence(name)],
    fix: [
      {
        text: 'Look at the "hosts:" line of nsswitch.conf and at resolv.conf',
        commands: [`getent ahosts ${pasted(name.name)}`, 'grep ^hosts /etc/nsswitch.conf'],
      },
    ],
  });
}
