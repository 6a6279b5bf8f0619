import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { HostFacts } from '../../facts/host.ts';
import type { ListenerFacts } from '../../facts/listeners.ts';
import type { ListenerSubject } from '../../subject.ts';
import { topics } from './question.ts';

export const lsn06 = defineCheck<'listener', { facts: ListenerFacts; host: HostFacts }>({
  id: 'LSN-06',
  title: "the address is this host's own",
  about: 'listener',
  topics,
  needs: [],
  causes: ['HST-01', 'HST-02', 'HST-05'],
  async gather(context, listener) {
    const [facts, host] = await Promise.all([context.probes.listener(listener), context.probes.host()]);
    return { facts, host };
  },
  judge: ({ facts, host }, listener) => judgeOwn(facts, host, listener),
});

function judgeOwn(facts: ListenerFacts, host: HostFacts, listener: ListenerSubject): Judgement {
  const foreign = facts.binds.filter((bind) => bind.errno === 'EADDRNOTAVAIL' || bind.errno === 'EINVAL');
  // `localhost` is whichever loopback addresses there are.
  const fatal =
    foreign.length > 0 && (listener.hosts.length === 1 || foreign.length === listener.hosts.length);
  if (!fatal) return nothing;
  const own = host.addresses
    .filter((address) => !address.flags.includes('dadfailed'))
    .map((address) => address.address);
  return found({
    status: 'error',
    title: `${foreign.map((bind) => bind.address).join(', ')} is not an address of this host`,
    evidence: [
      ...foreign.map((bind) =>
        evidence('connect', `bind ${printHostPort(bind.address, listener.port)}`, bind.errno ?? '', facts.at),
      ),
      evidence('proc', 'addresses of this host', own.join(', ') || 'none', facts.at),
    ],
    fix: [
      {
        text: `Listen on [::]:${listener.port}, or on an address of the list above`,
        commands: ['ip address show'],
      },
    ],
  });
}
