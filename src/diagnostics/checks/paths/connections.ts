import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { attemptEvidence, evidence } from '../../evidence.ts';
import type { PathFacts } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';
import { fixFor, tally } from './fixes.ts';
import { hairpin } from './hairpin.ts';
import { gather, meant, noPath, topics } from './question.ts';

interface Facts extends PathFacts {
  /** The master's own public address, looked at from its own network (PTH-09): others may well get in. */
  readonly mayBeHairpin: boolean;
}

export const pth01 = defineCheck<'target', Facts>({
  id: 'PTH-01',
  title: 'a TCP connection to each address',
  about: 'target',
  topics,
  needs: ['DNS-01', 'DNS-02', 'PTH-08'],
  causes: [
    'SVC-07',
    'LIM-01',
    'LIM-02',
    'LSN-11',
    'LSN-01',
    'LSN-02',
    'HST-01',
    'HST-02',
    'HST-03',
    'HST-09',
    'HST-08',
    'PTH-09',
    'PTH-04',
    'PTH-02',
    'DNS-01',
    'DNS-02',
    'DNS-07',
    'PRX-01',
  ],
  rung: 'R2',
  async gather(context, target) {
    const [path, own] = await Promise.all([gather(context, target), hairpin(context, target)]);
    return { ...path, mayBeHairpin: own !== undefined };
  },
  judge: (path, target, context) => judgeConnect(path, target, context),
});

function judgeConnect(path: Facts, target: TargetSubject, context: JudgeContext): Judgement {
  const none = noPath(target);
  if (none !== undefined) return skip(none);
  const attempts = meant(path.attempts, context);
  if (attempts.length === 0) {
    const { untried, at } = path;
    return found({
      status: 'unknown',
      title: `No address of ${target.text} could be tried${untried === undefined ? '' : `: ${untried}`}`,
      evidence: untried === undefined ? [] : [evidence('peer', target.source, untried, at)],
      ...(untried === undefined
        ? {}
        : {
            fix: [
              {
                text: "Ask in the worker's own directory, where each hop is tried",
                commands: ['bbx doctor --dir ./worker'],
              },
            ],
          }),
    });
  }
  const dead = attempts.filter((attempt) => attempt.outcome !== 'connected');
  if (dead.length === 0) return nothing;
  const got = attempts.map((attempt) => attemptEvidence(attempt, path.at));
  if (dead.length === attempts.length) {
    return found({
      status: path.mayBeHairpin ? 'warn' : 'error',
      title: `No address of ${target.text} lets us in: ${tally(dead)}`,
      evidence: got,
      fix: fixFor(dead, target, path),
    });
  }
  // A family that is dead as a whole is PTH-02's to say.
  const partly = dead.filter((attempt) =>
    attempts.some((other) => other.family === attempt.family && other.outcome === 'connected'),
  );
  if (partly.length === 0) return nothing;
  return found({
    status: 'warn',
    title: `${partly.length} of ${attempts.length} addresses of ${target.text} ${partly.length === 1 ? 'does' : 'do'} not answer: ${partly.map((attempt) => attempt.address).join(', ')}`,
    evidence: got,
    fix: [{ text: 'Mend that host, or withdraw its address record: some programs wait for it' }],
  });
}
