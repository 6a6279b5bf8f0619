import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { attemptEvidence } from '../../evidence.ts';
import { hasIpv4, hasIpv6, type HostFacts } from '../../facts/host.ts';
import type { ListenerFacts } from '../../facts/listeners.ts';
import { leavesOut } from '../../intent.ts';
import type { ListenerSubject } from '../../subject.ts';
import { topics } from './question.ts';
import { rowsEvidence } from './rows.ts';

export const lsn09 = defineCheck<'listener', { facts: ListenerFacts; host: HostFacts }>({
  id: 'LSN-09',
  title: 'localhost is both loopback addresses',
  about: 'listener',
  topics,
  needs: ['LSN-01'],
  async gather(context, listener) {
    const [facts, host] = await Promise.all([context.probes.listener(listener), context.probes.host()]);
    return { facts, host };
  },
  judge: ({ facts, host }, listener, context) => judgeLocalhost(facts, host, listener, context),
});

function judgeLocalhost(
  facts: ListenerFacts,
  host: HostFacts,
  listener: ListenerSubject,
  context: JudgeContext,
): Judgement {
  if (listener.hosts.length !== 2) return skip('it is not localhost');
  if (listener.state === 'stopped') return skip('its master does not run');
  const rows = facts.rows ?? [];
  if (rows.length === 0) return skip('nothing listens there');
  const families = ([6, 4] as const).filter(
    (family) => !leavesOut(context.intent, family) && (family === 6 ? hasIpv6(host) : hasIpv4(host)),
  );
  const refused = families.filter((family) => {
    const tries = facts.attempts.filter((attempt) => attempt.family === family);
    return tries.length > 0 && tries.every((attempt) => attempt.errno === 'ECONNREFUSED');
  });
  const [family] = refused;
  if (family === undefined || refused.length === families.length) return nothing;
  const [missing, there] = family === 6 ? ['::1', '127.0.0.1'] : ['127.0.0.1', '::1'];
  return found({
    status: 'warn',
    title: `localhost:${listener.port} is listened on at ${there} alone: a program that tries ${missing} first is refused`,
    evidence: [
      ...rowsEvidence(facts, listener.port),
      ...facts.attempts.map((attempt) => attemptEvidence(attempt, facts.at)),
    ],
    fix: [
      {
        text: `The program binds the first address that the name gives; name both, 127.0.0.1 and ::1, in its configuration (bbx does that by itself)`,
        commands: ['getent ahosts localhost', `ss -ltnp sport = :${listener.port}`],
      },
    ],
  });
}
