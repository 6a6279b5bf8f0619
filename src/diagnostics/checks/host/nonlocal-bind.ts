import { familyOf } from '../../../net/endpoint/host.ts';
import { kindOf } from '../../../net/address-kind.ts';
import { defineCheck, found, nothing, type JudgeContext, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { HostFacts } from '../../facts/host.ts';

export const hst07 = defineCheck<'host', HostFacts>({
  id: 'HST-07',
  title: 'addresses of other hosts cannot be bound',
  about: 'host',
  topics: ['listen', 'ipv6', 'host'],
  needs: [],
  gather: (context) => context.probes.host(),
  judge: (host, _subject, context) => judgeNonlocal(host, context),
});

function judgeNonlocal(host: HostFacts, context: JudgeContext): Judgement {
  const on = ([4, 6] as const).filter((family) => host.nonlocalBind[family] === true);
  if (on.length === 0) return nothing;
  const own = new Set(host.addresses.map(({ address }) => address));
  const foreign = context.subjects
    .flatMap((subject) => (subject.kind === 'listener' ? subject.hosts : []))
    .filter((address) => on.some((family) => family === familyOf(address)))
    .filter((address) => !['loopback', 'unspecified'].includes(kindOf(address)) && !own.has(address));
  const got = on.map((family) => evidence('proc', `net.ipv${family}.ip_nonlocal_bind`, '1', host.at));
  if (foreign.length === 0) {
    return found({
      status: 'info',
      title: 'ip_nonlocal_bind is 1: that an address can be bound does not show that this host has it',
      evidence: got,
    });
  }
  return found({
    status: 'warn',
    title: `${foreign.join(', ')} can be bound, since ip_nonlocal_bind is 1, but this host does not have it: nobody can get there`,
    evidence: [...got, evidence('proc', 'addresses of this host', [...own].join(', ') || 'none', host.at)],
    fix: [
      {
        text: 'Where another host has the address for now (keepalived, VRRP), all is as it should be; else listen on an address of this host, or on [::]',
        commands: ['ip address show'],
      },
      {
        text: 'Or let such a bind fail',
        commands: on.map((family) => `sudo sysctl net.ipv${family}.ip_nonlocal_bind=0`),
      },
    ],
  });
}
