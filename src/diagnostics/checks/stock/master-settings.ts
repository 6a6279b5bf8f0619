import { readListener } from '../../../config/stock/endpoint-reading.ts';
import { sureValue } from '../../../config/stock/written.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { StockEndpointSubject } from '../../stock-subject.ts';
import { now, readEndpoint, sureText, topics, writtenEvidence } from './question.ts';

export const stk13 = defineCheck<'stock-endpoint', string>({
  id: 'STK-13',
  title: 'files of ssl: ports are there',
  about: 'stock-endpoint',
  topics,
  needs: ['STK-01', 'STK-02'],
  gather: now,
  judge: judgeFiles,
});

function judgeFiles(at: string, subject: StockEndpointSubject): Judgement {
  const reading = readEndpoint(subject);
  const { written } = subject;
  if (subject.way === 'client' || reading === undefined || written === undefined) return skip('STK-01');
  const isSsl = reading.server?.kind === 'ssl' || reading.mistake?.id === 'STK-13';
  if (!isSsl) return skip('it is no ssl: port');
  if (reading.mistake?.id === 'STK-13')
    return found({
      status: 'error',
      title: `${subject.key}: ${reading.mistake.problem}`,
      evidence: [writtenEvidence(subject, written, at)],
      fix: [{ text: String.raw`Write each ":" of a path as \: in a raw string` }],
    });
  const [first] = subject.missing;
  if (first === undefined) return nothing;
  const own = String(written.value).includes(first);
  return found({
    status: 'error',
    title: own
      ? `${subject.key}: the file "${first}" cannot be read, so no port is open`
      : `${subject.key}: without privateKey= the file is "${first}", which cannot be read, so no port is open`,
    evidence: [
      writtenEvidence(subject, written, at),
      ...subject.missing.map((file) =>
        evidence('file', file, 'not there, or not to be read by this user', at),
      ),
    ],
    fix: [
      {
        text: "Write privateKey= and certKey= with paths from the master's directory, and let its user read them",
      },
    ],
  });
}

export const stk14 = defineCheck<'stock-master', string>({
  id: 'STK-14',
  title: 'buildbotURL and the port of the web server agree',
  about: 'stock-master',
  topics,
  needs: [],
  gather: now,
  judge(at, subject): Judgement {
    const url = sureText(subject.master.buildbotUrl);
    const web = subject.master.listeners.find(({ way }) => way === 'web');
    const written = web?.setting.written[0];
    const value = web === undefined ? undefined : sureValue(web.setting);
    if (
      url === undefined ||
      written === undefined ||
      (typeof value !== 'string' && typeof value !== 'number')
    )
      return skip('buildbotURL or the port is not written out');
    const { port } = readListener(value, 'web');
    if (port === null || !URL.canParse(url.value)) return skip('they cannot be compared');
    const wanted = new URL(url.value);
    // Without a port of its own the URL means a proxy before the master.
    if (wanted.port === '' || Number(wanted.port) === port) return nothing;
    return found({
      status: 'warn',
      confidence: 'likely',
      title: `buildbotURL sends people to port ${wanted.port}, and the web server listens on ${port}`,
      evidence: [writtenEvidence(subject, url, at), writtenEvidence(subject, written, at)],
      fix: [
        // A proxy may take the one to the other, so this is for a person to decide.
        { text: `Write the port on which people reach it: ${wanted.hostname}:${port}, or that of a proxy` },
      ],
    });
  },
});
