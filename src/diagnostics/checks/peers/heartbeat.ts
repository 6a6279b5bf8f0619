import { printHostPort } from '../../../net/endpoint/host.ts';
import { LIMITS } from '../../../protocol/bbx/limits.ts';
import { STALL_MS } from '../../../protocol/bbx/probe-series.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence, seconds } from '../../evidence.ts';
import type { TargetSubject } from '../../subject.ts';
import { gatherLinks, noLink, type LinksAt } from '../paths/links.ts';
import { topics } from './question.ts';

export const pro09 = defineCheck<'target', LinksAt>({
  id: 'PRO-09',
  title: 'both ends still hear each other after a short rest',
  about: 'target',
  topics,
  needs: ['PTH-01'],
  causes: ['PTH-01', 'PTH-06', 'PRO-01', 'PRO-03'],
  gather: gatherLinks,
  judge: (facts, target) => judgeHeartbeat(facts, target),
});

/** The short form: a rest of a quarter of a second, then a word of the master, then one of this end. The long form is PTH-07. */
function judgeHeartbeat({ at, links }: LinksAt, target: TargetSubject): Judgement {
  const none = noLink(target, links);
  if (none !== undefined) return skip(none);
  const rested = links.flatMap(({ address, series }) =>
    series?.rested == null ? [] : [{ address, ...series.rested }],
  );
  // A connection that broke off in the middle of the probes was lost, too.
  const cut = links.filter(
    ({ series, able, problem }) => able === true && series === null && problem !== null,
  );
  if (rested.length === 0 && cut.length === 0) return skip('PTH-06');
  const deaf = rested.filter(({ downMs, upMs }) => downMs === null || upMs === null);
  if (deaf.length === 0 && cut.length === 0) return nothing;
  const port = target.port ?? 0;
  const got = [
    ...rested.map(({ address, restMs, downMs, upMs }) => {
      const words = `master: ${said(downMs)}; this end: ${said(upMs)}`;
      return evidence('peer', `${printHostPort(address, port)} after a rest of ${restMs} ms`, words, at);
    }),
    ...cut.map(({ address, problem }) =>
      evidence('peer', `probes to ${printHostPort(address, port)}`, problem ?? '', at),
    ),
  ];
  return found({
    status: 'error',
    title:
      deaf.length > 0
        ? `A connection to ${target.text} dies while it rests for a moment`
        : `A connection to ${target.text} breaks off in the middle`,
    confidence: deaf.length > 0 ? 'proven' : 'likely',
    evidence: got,
    fix: [
      {
        text: `Look for what drops connections on the way (a firewall without their state, a proxy with a short idle limit, a host that went away): signs of life go over it every ${LIMITS.pingEveryMs / 1_000} s`,
        commands: [`bbx doctor reach ${printHostPort(target.host, port)} --soak --budget 6m`],
      },
    ],
  });
}

function said(ms: number | null): string {
  return ms === null ? `nothing for ${seconds(STALL_MS)}` : `heard after ${Math.round(ms)} ms`;
}
