import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence, pasted, seconds } from '../../evidence.ts';
import type { StockMasterSubject } from '../../stock-subject.ts';
import { now } from './question.ts';

export const stk17 = defineCheck<'stock-master', string>({
  id: 'STK-17',
  title: 'Buildbot itself takes the configuration (--exec-config)',
  about: 'stock-master',
  topics: ['config'],
  needs: [],
  gather: now,
  judge: judgeRun,
});

/** Errors that are told; the rest are seldom news. */
const TOLD = 5;

function judgeRun(_at: string, { run, shown }: StockMasterSubject): Judgement {
  if (run === undefined) return skip('only --exec-config runs the file');
  const { outcome, version, errors, ms, at } = run;
  const command = `buildbot checkconfig ${pasted(shown)}`;
  const got = [
    evidence(
      'cmd',
      command,
      `${outcome}${version === null ? '' : `, Buildbot ${version}`}, after ${seconds(ms)}`,
      at,
    ),
    ...errors.slice(0, TOLD).map((error) => evidence('cmd', 'it says', error, at)),
  ];
  switch (outcome) {
    case 'good':
      return nothing;
    case 'errors':
      return found({
        status: 'error',
        title: `Buildbot does not take ${shown}: ${firstLine(errors[0])}${errors.length > 1 ? `, and ${errors.length - 1} more` : ''}`,
        evidence: got,
        fix: [
          {
            text: 'Mend what it says; until then a reload keeps the former configuration, and a start fails',
            commands: [command],
          },
        ],
      });
    case 'late':
      return found({
        status: 'unknown',
        title: `${shown} was not done within ${seconds(ms)}, and was ended: what it becomes is not known`,
        evidence: got,
        fix: [{ text: 'Look what it waits for: something of the network, or a lock', commands: [command] }],
      });
    case 'no buildbot':
      return found({
        status: 'unknown',
        title: `No Buildbot is found to run ${shown} with`,
        evidence: got,
        fix: [
          {
            text: 'Activate its virtual environment (VIRTUAL_ENV), or put its bin directory into PATH, and ask again',
          },
        ],
      });
    case 'failed':
      return found({
        status: 'unknown',
        title: `Running ${shown} gave no answer${errors[0] === undefined ? '' : `: ${firstLine(errors[0])}`}`,
        evidence: got,
        fix: [{ text: 'See what Buildbot says of it', commands: [command] }],
      });
  }
}

function firstLine(text = 'it fails'): string {
  return text.trim().split('\n')[0] ?? '';
}
