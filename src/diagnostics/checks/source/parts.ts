import { parseRepository } from '../../../net/endpoint/repository.ts';
import {
  defineCheck,
  found,
  skip,
  type CheckContext,
  type Draft,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { SourceSubject } from '../../far-subjects.ts';
import type { NestedFacts, Reached } from '../../facts/sources.ts';
import { insistsOn, leavesOut } from '../../intent.ts';
import { connects, has, reach, reachedEvidence, topics } from './question.ts';

interface Parts {
  readonly nested: NestedFacts;
  /** Part → its host; undefined where its address cannot be read. */
  readonly reached: ReadonlyMap<string, Reached | undefined>;
}

export const src07 = defineCheck<'source', Parts>({
  id: 'SRC-07',
  title: 'hosts of submodules and of LFS',
  about: 'source',
  topics,
  needs: [],
  gather,
  judge: judgeParts,
});

async function gather(context: CheckContext, subject: SourceSubject): Promise<Parts> {
  const nested = await context.probes.nested(subject);
  const reached = await Promise.all(
    nested.parts.map(async ({ url, ssh }) => {
      const written = parseRepository(url);
      if (written.kind !== 'remote') return [] as const;
      const { host, port } = ssh ?? written;
      // What stands on the repository's own host is SRC-01's; what ssh reaches through another host is not reached from here.
      const isOwn = host === subject.host || written.host === subject.ssh?.written;
      if (isOwn || ssh?.through != null) return [] as const;
      return [[url, await reach(context, host, port, `${subject.text}: ${url}`)]] as const;
    }),
  );
  const faults = nested.parts
    .filter(({ url }) => parseRepository(url).kind !== 'remote')
    .map(({ url }) => [url, undefined] as const);
  return { nested, reached: new Map([...reached.flat(), ...faults]) };
}

function judgeParts({ nested, reached }: Parts, subject: SourceSubject, context: JudgeContext): Judgement {
  if (subject.what === 'download') return skip('it is no repository');
  if (nested.copy === null) return skip('no copy of it stands on this machine, so its parts are not known');
  if (nested.parts.length === 0) return skip('it has no parts elsewhere');
  const from = evidence('file', nested.copy, nested.parts.map(({ url }) => url).join(', '), nested.at);
  const drafts = nested.parts.flatMap(({ what, url }): Draft[] => {
    const one = reached.get(url);
    if (one === undefined) {
      const place = parseRepository(url);
      if (!reached.has(url)) return [];
      return [
        {
          status: 'warn',
          title: `The ${what} ${url} of ${subject.text} cannot be fetched: ${place.kind === 'fault' ? place.problem : 'it is a path of one machine'}`,
          evidence: [from],
          fix: [
            {
              text: `Write ${place.kind === 'fault' && place.write !== null ? place.write : 'a URL that every worker can use'} in .gitmodules or .lfsconfig`,
            },
          ],
        },
      ];
    }
    if (!connects(one)) {
      return [
        {
          status: 'warn',
          title: `The host ${one.text} of the ${what} ${url} cannot be reached from here`,
          evidence: [from, ...reachedEvidence(one)],
          fix: [
            { text: 'Look at its name and at the way to it', commands: [`bbx doctor source ${pasted(url)}`] },
          ],
        },
      ];
    }
    const lacking = ([6, 4] as const).find(
      (family) => !leavesOut(context.intent, family) && !has(one, family),
    );
    if (lacking === undefined) return [];
    return [
      {
        status: insistsOn(context.intent, lacking) ? 'warn' : 'info',
        title: `${one.name.name} has no ${lacking === 6 ? 'AAAA' : 'A'}: an IPv${lacking}-only worker cannot fetch the ${what} ${url}`,
        evidence: [from, ...reachedEvidence(one)],
        fix: [{ text: 'Fetch it from a mirror that has both families' }],
      },
    ];
  });
  return found(...drafts);
}
