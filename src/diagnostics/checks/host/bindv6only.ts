import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { HostFacts } from '../../facts/host.ts';
import { refusesIpv4, type ListenerFacts } from '../../facts/listeners.ts';

export const hst06 = defineCheck<'host', { host: HostFacts; listeners: readonly ListenerFacts[] }>({
  id: 'HST-06',
  title: 'the system default for [::] (bindv6only)',
  about: 'host',
  topics: ['ipv6', 'listen', 'host'],
  needs: [],
  async gather(context) {
    const listeners = context.subjects.filter((subject) => subject.kind === 'listener');
    const [host, ...facts] = await Promise.all([
      context.probes.host(),
      ...listeners.map((listener) => context.probes.listener(listener)),
    ]);
    return { host, listeners: facts };
  },
  judge: ({ host, listeners }) => judgeBindv6only(host, listeners),
});

function judgeBindv6only(host: HostFacts, listeners: readonly ListenerFacts[]): Judgement {
  if (host.bindv6only === undefined) return skip('this system has no such switch');
  if (!host.bindv6only) return nothing;
  const got = [evidence('proc', 'net.ipv6.bindv6only', '1', host.at)];
  const hit = listeners.filter((facts) => refusesIpv4(facts)).flatMap((facts) => facts.rows ?? []);
  const victims = [...new Set(hit.map((row) => row.owner ?? `port ${row.port}`))];
  if (victims.length > 0 || host.inheritedSockets) {
    return found({
      status: 'warn',
      title: `bindv6only is 1, so ${victims.join(', ') || 'an inherited socket'} on [::] takes no IPv4`,
      confidence: victims.length > 0 ? 'likely' : 'possible',
      evidence: got,
      fix: [
        {
          text: 'Set it back, or add a second listener on 0.0.0.0 (BindIPv6Only=both in a socket unit); bbx itself does not depend on it',
          commands: ['sudo sysctl net.ipv6.bindv6only=0'],
        },
      ],
    });
  }
  return found({
    status: 'info',
    title: 'bindv6only is 1: bbx is not affected, stock Buildbot on this host would be',
    evidence: got,
  });
}
