import { kindOf } from '../../../net/address-kind.ts';
import { familyOf, printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { TargetSubject } from '../../subject.ts';
import { topics } from './question.ts';

export const pth08 = defineCheck<'target', { at: string }>({
  id: 'PTH-08',
  title: 'a zone for a link-local address',
  about: 'target',
  topics,
  needs: [],
  gather: () => ({ at: new Date().toISOString() }),
  judge: ({ at }, target) => judgeZone(target, at),
});

function judgeZone(target: TargetSubject, at: string): Judgement {
  if (familyOf(target.host) !== 6 || kindOf(target.host) !== 'link-local')
    return skip('it is no link-local address');
  if (target.host.includes('%')) return nothing;
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
