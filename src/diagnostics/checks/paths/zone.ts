import { kindOf } from '../../../net/address-kind.ts';
import { familyOf, printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { HostFacts } from '../../facts/host.ts';
import type { TargetSubject } from '../../subject.ts';
import { topics } from './question.ts';

export const pth08 = defineCheck<'target', HostFacts>({
  id: 'PTH-08',
  title: 'a zone for a link-local address',
  about: 'target',
  topics,
  needs: [],
  gather: (context) => context.probes.host(),
  judge: (host, target) => judgeZone(host, target),
});

function judgeZone({ at, addresses }: HostFacts, target: TargetSubject): Judgement {
  if (familyOf(target.host) !== 6 || kindOf(target.host) !== 'link-local')
    return skip('it is no link-local address');
  const [, zone] = target.host.split('%');
  // Numbers are interfaces, too; an interface with IPv6 has an address of this kind.
  const links = [...new Set(addresses.filter(({ family }) => family === 6).map((one) => one.interface))];
  if (zone !== undefined && (/^\d+$/.test(zone) || links.includes(zone))) return nothing;
  if (zone !== undefined) {
    const there = links.join(', ') || 'none';
    return found({
      status: 'error',
      title: `${target.text} leads over an interface that is not there, or has no IPv6: ${zone}`,
      evidence: [evidence('proc', 'interfaces with IPv6 addresses', there, at)],
      fix: [{ text: `Write one of these behind the %: ${there}`, commands: ['ip -6 address show'] }],
    });
  }
  return found({
    status: 'error',
    title: `${target.text} is a link-local address without the interface that leads to it`,
    evidence: [evidence('file', target.source, target.text, at)],
    fix: [
      {
        text: `Write the interface after a %: ${printHostPort(`${target.host}%eth0`, target.port ?? 9989)}, or use a name or a global address`,
        commands: ['ip -6 neighbour show'],
      },
    ],
  });
}
