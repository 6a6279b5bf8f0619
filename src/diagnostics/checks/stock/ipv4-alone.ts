import { bindingWords } from '../../../config/stock/families.ts';
import { sureValue } from '../../../config/stock/written.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type Judgement,
  type JudgeContext,
} from '../../check.ts';
import { dnsEvidence, evidence } from '../../evidence.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import { insistsOn, leavesOut } from '../../intent.ts';
import type { StockEndpointSubject } from '../../stock-subject.ts';
import { now, readEndpoint, rewrite, topics, urlHost, writtenEvidence } from './question.ts';

interface PublishedFacts {
  readonly at: string;
  /** What is known of the name in `buildbotURL`; undefined where there is none to ask for. */
  readonly name: NameFacts | undefined;
}

export const stk07 = defineCheck<'stock-endpoint', PublishedFacts>({
  id: 'STK-07',
  title: 'a stock master takes IPv6 where it is published or meant',
  about: 'stock-endpoint',
  topics,
  needs: ['STK-01'],
  gather,
  judge: judgeIpv4Alone,
});

async function gather(context: CheckContext, subject: StockEndpointSubject): Promise<PublishedFacts> {
  const at = now();
  const master = context.subjects.find(
    (other) => other.kind === 'stock-master' && other.file === subject.file,
  );
  if (master?.kind !== 'stock-master' || readEndpoint(subject)?.mistake?.id !== 'STK-07')
    return { at, name: undefined };
  const host = urlHost(sureValue(master.master.buildbotUrl));
  return { at, name: host === undefined ? undefined : await context.probes.name(host) };
}

function judgeIpv4Alone(
  { at, name }: PublishedFacts,
  subject: StockEndpointSubject,
  context: JudgeContext,
): Judgement {
  if (subject.way === 'client') return skip("it is the worker's");
  const reading = readEndpoint(subject);
  if (reading === undefined || subject.written === undefined) return skip('STK-01');
  if (leavesOut(context.intent, 6)) return skip('IPv6 is not meant');
  const { mistake, binding } = reading;
  if (mistake?.id !== 'STK-07' || binding === null) return nothing;
  const records = name === undefined ? [] : published(name, 6);
  const meant = insistsOn(context.intent, 6);
  return found({
    status: meant ? 'error' : records.length > 0 ? 'warn' : 'info',
    title:
      records.length > 0
        ? `${subject.key}: ${mistake.problem}, and "${name?.name}" has AAAA records`
        : `${subject.key}: ${mistake.problem}`,
    evidence: [
      writtenEvidence(subject, subject.written, at),
      evidence('file', 'Buildbot listens on', bindingWords(binding), at),
      evidence('file', 'over IPv6', 'nobody gets in, by whatever client', at),
      ...(name === undefined ? [] : dnsEvidence(name, ['AAAA'])),
    ],
    fix:
      mistake.right === undefined
        ? [{ text: 'Use the protocol pb for workers on IPv6, or put a proxy before it that takes IPv6' }]
        : [rewrite(subject, subject.written, mistake.right, 'for both families')],
  });
}
