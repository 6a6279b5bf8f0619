import {
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { SourceSubject } from '../../far-subjects.ts';
import type { RepositoryFact } from '../../facts/sources.ts';
import { insistsOn, leavesOut, type Family } from '../../intent.ts';
import { reach, sshEvidence, topics, whyNoHost } from './question.ts';

/** What git was told at one address of each family. */
interface Each {
  readonly family: Family;
  readonly address: string;
  readonly fact: RepositoryFact;
}

export const src03 = defineCheck<'source', readonly Each[]>({
  id: 'SRC-03',
  title: 'the repository answers git over each family',
  about: 'source',
  topics,
  needs: ['SRC-01'],
  causes: ['SRC-04'],
  gather,
  judge: judgeEach,
});

async function gather(context: CheckContext, source: SourceSubject): Promise<readonly Each[]> {
  const { host, port, url } = source;
  if (url === null || host === null || port === null) return [];
  const { path, name } = await reach(context, host, port, source.source);
  if (name.literal !== null) return [];
  const firsts = ([6, 4] as const).flatMap((family) =>
    path.attempts
      .filter((attempt) => attempt.family === family && attempt.outcome === 'connected')
      .slice(0, 1),
  );
  // Over one family alone it is SRC-02 that tells.
  if (firsts.length < 2) return [];
  const all = await Promise.all(
    firsts.map(async ({ family, address }) => ({
      family,
      address,
      fact: await context.probes.repositoryAt(source, address),
    })),
  );
  return all.flatMap(({ fact, ...rest }) => (fact === undefined ? [] : [{ ...rest, fact }]));
}

function judgeEach(each: readonly Each[], source: SourceSubject, context: JudgeContext): Judgement {
  if (source.ssh?.through != null) return skip(whyNoHost(source));
  if (each.length < 2) return skip('git reaches it over one family alone, or a proxy looks it up');
  const good = each.find(({ fact }) => speaks(fact));
  const bad = each.find(({ family, fact }) => !speaks(fact) && !leavesOut(context.intent, family));
  if (good === undefined || bad === undefined) return nothing;
  const { family, address, fact } = bad;
  return found({
    status: insistsOn(context.intent, family) ? 'error' : 'warn',
    title: `git reads ${source.text} over IPv${good.family}, and over IPv${family} it does not: ${fact.reason ?? WORDS[fact.outcome]}`,
    evidence: [
      ...each.map((one) =>
        evidence(
          'cmd',
          `git ls-remote ${source.text} at ${one.address}`,
          `${one.fact.reason ?? one.fact.outcome} after ${one.fact.ms} ms`,
          one.fact.at,
        ),
      ),
      ...sshEvidence(source, fact.at),
    ],
    fix: [
      {
        text: `Something else answers at ${address}: let that server serve the repository over IPv${family} as well, or withdraw its ${family === 6 ? 'AAAA' : 'A'} record`,
        commands: commandsFor(source, bad),
      },
    ],
  });
}

/** A server that asks for a login has understood. */
function speaks({ outcome }: RepositoryFact): boolean {
  return outcome === 'ok' || outcome === 'login' || outcome === 'no git';
}

const WORDS: Readonly<Record<RepositoryFact['outcome'], string>> = {
  ok: 'it answers',
  login: 'it asks for a login',
  missing: 'there is no such repository',
  failed: 'it fails',
  late: 'no answer came',
  'no git': 'git is not installed',
};

function commandsFor({ url, host, port, text }: SourceSubject, { family, address }: Each): string[] {
  const list = `git ls-remote ${pasted(text)} HEAD`;
  if (/^https?:/i.test(url ?? '')) {
    const literal = family === 6 ? `[${address}]` : address;
    return [
      list.replace('git ', `git -c ${pasted(`http.curloptResolve=${host ?? ''}:${port ?? 0}:${literal}`)} `),
    ];
  }
  return /^git:/i.test(url ?? '') ? [] : [`GIT_SSH_COMMAND='ssh -${family}' ${list}`];
}
