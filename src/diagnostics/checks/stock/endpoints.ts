import type { Finding } from '../../../api/doctor.ts';
import type { Mistake } from '../../../config/stock/endpoint-reading.ts';
import { meantPort } from '../../../config/stock/guess.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type Check,
  type CheckContext,
  type Judgement,
} from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { StockEndpointSubject } from '../../stock-subject.ts';
import { now, readEndpoint, rewrite, topics, writtenEvidence } from './question.ts';

interface EndpointFacts {
  readonly at: string;
  /** Whether anything listens on the port that the text means; null where its master does not run, or the port cannot be made out. */
  readonly listening: boolean | null;
}

interface EndpointRow {
  readonly id: Mistake['id'];
  readonly title: string;
  readonly side: 'master' | 'worker' | 'both';
  readonly status: Finding['status'];
}

/** An endpoint's text has one mistake at most, so that these differ in nothing but which. */
function endpointCheck({ id, title, side, status }: EndpointRow): Check<'stock-endpoint'> {
  return defineCheck<'stock-endpoint', EndpointFacts>({
    id,
    title,
    about: 'stock-endpoint',
    topics,
    needs: [],
    gather,
    judge(facts, subject): Judgement {
      const sides = subject.way === 'client' ? 'worker' : 'master';
      if (side !== 'both' && side !== sides) return skip(`it is the ${sides}'s`);
      const reading = readEndpoint(subject);
      if (reading === undefined) return notRead(subject, id, facts.at);
      const { mistake } = reading;
      if (mistake?.id !== id || subject.written === undefined) return nothing;
      return found({
        status,
        title: titleOf(subject, mistake),
        evidence: [
          writtenEvidence(subject, subject.written, facts.at),
          ...(mistake.error === undefined
            ? []
            : [
                evidence(
                  'file',
                  'Buildbot raises',
                  `${mistake.error}, which stands in twistd.log; checkconfig says nothing`,
                  facts.at,
                ),
              ]),
          ...(facts.listening === false
            ? [
                evidence(
                  'proc',
                  `Buildbot runs (pid ${subject.pid})`,
                  'nothing listens on its port',
                  facts.at,
                ),
              ]
            : []),
        ],
        fix:
          mistake.right === undefined
            ? [{ text: 'Write tcp:PORT, or tcp:host=NAME:port=PORT for a worker' }]
            : [rewrite(subject, subject.written, mistake.right)],
      });
    },
  });
}

/** What comes of it first: `buildbot checkconfig` sees none of this. */
function titleOf({ key, way }: StockEndpointSubject, { error, problem }: Mistake): string {
  if (error === undefined) return `${key}: ${problem}`;
  return way === 'client'
    ? `The worker ends at its start: ${key}: ${problem}`
    : `${key} opens no port: ${problem}`;
}

/** What is no literal: said once, by the first check of its side. */
function notRead(subject: StockEndpointSubject, id: string, at: string): Judgement {
  const { unknown, written } = subject;
  const first = subject.way === 'client' ? 'STK-04' : 'STK-01';
  if (id !== first) return skip(first);
  if (unknown === undefined) return skip(`it is ${JSON.stringify(written?.value ?? null)}`);
  return found({
    status: 'unknown',
    title: `${subject.key} is not written out, so it is not known here: ${unknown.why}`,
    evidence: [evidence('file', `${subject.shown}:${unknown.line}:${unknown.column}`, unknown.why, at)],
    fix: [
      subject.way === 'client'
        ? { text: 'Look at what it becomes; bbx does not run the file' }
        : {
            text: 'Let Buildbot say what it becomes: this runs the file, with all that it does',
            commands: [`bbx doctor config ${pasted(subject.shown)} --exec-config`],
          },
    ],
  });
}

async function gather(context: CheckContext, subject: StockEndpointSubject): Promise<EndpointFacts> {
  const at = now();
  const reading = readEndpoint(subject);
  const port = reading?.mistake?.error === undefined ? undefined : meantPort(reading.text);
  if (subject.pid === null || subject.way === 'client' || port === undefined || port === 0)
    return { at, listening: null };
  const { rows } = await context.probes.listener({
    kind: 'listener',
    text: `[::]:${port}`,
    plane: 'other',
    hosts: ['::'],
    port,
    state: 'given',
    reach: [],
    pins: [],
    source: subject.shown,
  });
  return { at, listening: rows?.some((row) => row.port === port) ?? null };
}

export const stk01 = endpointCheck({
  id: 'STK-01',
  title: 'ports of a stock master open, and IPv6 is written as Twisted reads it',
  side: 'master',
  status: 'error',
});
export const stk02 = endpointCheck({
  id: 'STK-02',
  title: 'endpoint strings are not escaped twice',
  side: 'both',
  status: 'error',
});
export const stk03 = endpointCheck({
  id: 'STK-03',
  title: 'escapes that Python will not take for ever',
  side: 'both',
  status: 'warn',
});
export const stk04 = endpointCheck({
  id: 'STK-04',
  title: "a stock worker's connection string means what it says",
  side: 'worker',
  status: 'error',
});
export const stk05 = endpointCheck({
  id: 'STK-05',
  title: 'empty parts and spaces in endpoint strings',
  side: 'master',
  status: 'warn',
});
export const stk06 = endpointCheck({
  id: 'STK-06',
  title: 'kinds of endpoints that Twisted knows',
  side: 'both',
  status: 'error',
});
export const stk15 = endpointCheck({
  id: 'STK-15',
  title: 'names as interfaces of a stock master',
  side: 'master',
  status: 'warn',
});
