import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { LinkEndsFacts } from '../../facts/own.ts';
import type { ProgramSubject } from '../../subject.ts';

export const pro06 = defineCheck<'program', LinkEndsFacts>({
  id: 'PRO-06',
  title: 'no other process has the name and key of this worker',
  about: 'program',
  topics: ['ipv6', 'path', 'host'],
  needs: [],
  gather: (context, program) =>
    program.role === 'worker'
      ? context.probes.linkEnds(program)
      : { at: '', now: 0, readable: false, takings: [], upAt: null },
  judge: judgeTwin,
});

/** What is longer ago than this is history: the worker may have been moved to another machine, and back. */
const RECENT_MS = 24 * 3_600_000;
/** A worker whose name was taken once, and that was let in again since, has most likely been started twice by mistake. */
const TURNS = 2;

function judgeTwin(facts: LinkEndsFacts, program: ProgramSubject): Judgement {
  if (program.role !== 'worker') return skip('it is no worker');
  if (!facts.readable)
    return skip('it has written nothing down about its link, or this user may not read it');
  const recent = facts.takings.filter(({ at }) => facts.now - at <= RECENT_MS);
  const last = recent.at(-1);
  if (last === undefined) return nothing;
  const isOver = facts.upAt !== null && facts.upAt > last.at;
  if (isOver && recent.length < TURNS) return nothing;
  const place = program.shown === '.' ? 'This worker' : `The worker in ${program.shown}`;
  const when = new Date(last.at).toISOString().replace(/\.\d+Z$/, 'Z');
  return found({
    status: 'warn',
    title:
      recent.length >= TURNS
        ? `${place} and another process take one name from each other: ${recent.length} times within a day, last at ${when}`
        : `${place} has lost its name to another process with the same key, at ${when}${program.running === false ? ', and ended' : ''}`,
    evidence: recent
      .slice(-3)
      .map(({ at, kind, words }) =>
        evidence(
          'file',
          `history of its link, ${new Date(at).toISOString()}`,
          `${kind === 'replaced' ? 'the master ended its session for another one' : 'the master refused it'}: ${words}`,
          facts.at,
        ),
      ),
    fix: [
      {
        text: 'Find the other one: on the master, this says from where it comes. Most often the directory was copied to a second machine, or a container was started twice',
        commands: ['bbx worker show NAME'],
      },
      {
        text: 'Give the copy a name and key of its own: a new directory by create-worker, with a join string of its own',
        commands: ['bbx worker add NAME', 'bbx create-worker DIR --join @join.txt'],
      },
    ],
  });
}
