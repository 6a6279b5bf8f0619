import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { HealthFacts } from '../../facts/own.ts';
import type { ListenerSubject } from '../../subject.ts';

export const pro08 = defineCheck<'listener', HealthFacts | undefined>({
  id: 'PRO-08',
  title: "the master's web port says that it is well, over each family",
  about: 'listener',
  topics: ['listen', 'ipv6'],
  needs: ['LSN-01', 'LSN-11'],
  causes: ['LSN-07'],
  gather: (context, listener) => (isAsked(listener) ? context.probes.health(listener) : undefined),
  judge: judgeHealth,
});

/** What a master that runs here listens on for the web; other programs' ports owe nobody this answer. */
function isAsked({ plane, state, source }: ListenerSubject): boolean {
  return plane === 'web' && state === 'running' && source.endsWith('master configuration');
}

function judgeHealth(facts: HealthFacts | undefined, listener: ListenerSubject): Judgement {
  if (facts === undefined) return skip('it is no web port of a master that runs here');
  if (facts.addresses.length === 0) return skip('LSN-02');
  const bad = facts.addresses.filter(({ exact }) => !exact);
  const [first] = bad;
  if (first === undefined) return nothing;
  const where = bad.map(({ address }) => printHostPort(address, listener.port)).join(' and ');
  return found({
    status: 'error',
    title:
      first.status === null
        ? `The master's web port does not answer at ${where}: ${first.said.split('\r\n')[0] ?? ''}`
        : `Something else than the master's web port answers at ${where} (HTTP ${first.status}, and not what /health says)`,
    evidence: facts.addresses.map(({ address, exact, said, ms }) =>
      evidence(
        'peer',
        `GET http://${printHostPort(address, listener.port)}/health`,
        exact ? `as it should be, in ${ms} ms` : said,
        facts.at,
      ),
    ),
    fix: [
      {
        text: 'See which program has that port, and whether a rule of the packet filter leads it elsewhere; if it is the master, start it again',
        commands: [`ss -ltnp sport = :${listener.port}`, 'sudo nft list ruleset'],
      },
    ],
  });
}
