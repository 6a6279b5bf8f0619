import { defineCheck, found, skip, type Draft, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { TraceFact, TraceFacts } from '../../facts/trouble.ts';
import type { TargetSubject } from '../../subject.ts';
import { noPath, topics } from './question.ts';

export const pth11 = defineCheck<'target', TraceFacts | undefined>({
  id: 'PTH-11',
  title: 'how far the way to a silent address goes',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-08'],
  gather: (context, target) => context.probes.traces(target),
  judge: judgeTraces,
});

/** The last router that answers is where to look, not who is to blame: those behind it may only be silent. */
function judgeTraces(facts: TraceFacts | undefined, target: TargetSubject): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  if (facts === undefined) return skip('nothing is silent, as seen from here');
  if (!facts.tool) return skip('mtr is not installed here');
  const evidenceOf = ({ address, hops, problem }: TraceFact) =>
    evidence(
      'cmd',
      `mtr -T -P ${target.port ?? 0} ${address}`,
      problem ?? hops.map((hop, index) => `${index + 1} ${hop ?? '???'}`).join(', '),
      facts.at,
    );
  const drafts: Draft[] = [];
  const seen = facts.traces.flatMap((trace) => {
    const last = lastOf(trace);
    return last === undefined ? [] : [{ trace, ...last }];
  });
  const failed = facts.traces.filter(({ problem }) => problem !== null);
  if (seen.length > 0)
    drafts.push({
      status: 'info',
      title: `The way to ${target.text} can be seen as far as ${seen.map(({ router, distance }) => `${router} (${distance} ${distance === 1 ? 'hop' : 'hops'} from here)`).join(' and ')}; nothing behind answers`,
      confidence: 'possible',
      evidence: seen.map(({ trace }) => evidenceOf(trace)),
      fix: [
        {
          text: `Ask whoever runs ${seen.map(({ router }) => router).join(' and ')}, or what stands behind, whether TCP port ${target.port ?? 0} toward ${seen.map(({ trace }) => trace.address).join(' and ')} is let through, and a route leads there and back`,
        },
      ],
    });
  if (failed.length > 0)
    drafts.push({
      status: 'unknown',
      title: `How far the way to ${failed.map(({ address }) => address).join(' and ')} goes is not known: mtr says "${failed[0]?.problem ?? ''}"`,
      evidence: failed.map(evidenceOf),
    });
  return drafts.length > 0 ? found(...drafts) : skip('no router on the way answers');
}

/** The farthest that answered; undefined where none did, or the far end itself did: it was silent to us, so a trace tells no more. */
function lastOf({ address, hops }: TraceFact): { router: string; distance: number } | undefined {
  const distance = hops.findLastIndex((hop) => hop !== null) + 1;
  const router = hops[distance - 1];
  return router === undefined || router === null || router === address ? undefined : { router, distance };
}
