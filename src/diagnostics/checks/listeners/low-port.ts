import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { HostFacts } from '../../facts/host.ts';
import type { ListenerFacts } from '../../facts/listeners.ts';
import type { ListenerSubject } from '../../subject.ts';
import { topics } from './question.ts';

export const lsn05 = defineCheck<'listener', { facts: ListenerFacts; host: HostFacts }>({
  id: 'LSN-05',
  title: 'the privilege for a low port',
  about: 'listener',
  topics,
  needs: [],
  async gather(context, listener) {
    const [facts, host] = await Promise.all([context.probes.listener(listener), context.probes.host()]);
    return { facts, host };
  },
  judge: ({ facts, host }, listener) => judgePrivilege(facts, host, listener),
});

function judgePrivilege(facts: ListenerFacts, host: HostFacts, listener: ListenerSubject): Judgement {
  const first = host.unprivilegedPort ?? 1024;
  if (listener.port === 0 || listener.port >= first) return nothing;
  if (listener.state === 'running' || (listener.state === 'given' && (facts.rows ?? []).length > 0))
    return skip('it is bound already');
  const refused = facts.binds.some((bind) => bind.errno === 'EACCES' || bind.errno === 'EPERM');
  if (host.mayBindLowPorts && !refused) return nothing;
  if (!refused && facts.binds.length > 0) return nothing;
  return found({
    status: 'error',
    title: `Port ${listener.port} is below ${first}: this user may not listen there`,
    evidence: [
      evidence('proc', 'net.ipv4.ip_unprivileged_port_start', String(first), facts.at),
      ...facts.binds.map((bind) =>
        evidence(
          'connect',
          `bind ${printHostPort(bind.address, listener.port)}`,
          bind.errno ?? 'works',
          facts.at,
        ),
      ),
    ],
    fix: [
      { text: `Choose a port of ${first} or above, or let a proxy or a systemd socket have the low one` },
      {
        text: 'Or allow it on this host',
        commands: [`sudo sysctl net.ipv4.ip_unprivileged_port_start=${listener.port}`],
      },
    ],
  });
}
