import { defineCheck, found, skip, type Draft, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ServiceFacts } from '../../facts/service.ts';
import { gather, noService, property, systemctl } from './question.ts';

/** A service that came back so often does not work, even if it runs at this moment. */
const MANY_RESTARTS = 5;

export const svc01 = defineCheck<'program', ServiceFacts>({
  id: 'SVC-01',
  title: 'its systemd unit runs, and stays up',
  about: 'program',
  topics: ['host'],
  needs: [],
  gather,
  judge: judgeState,
});

function judgeState(facts: ServiceFacts): Judgement {
  const none = noService(facts);
  if (none !== undefined) return skip(none);
  const { unit, at } = facts;
  const got = [
    'LoadState',
    'ActiveState',
    'SubState',
    'UnitFileState',
    'Result',
    'ExecMainStatus',
    'NRestarts',
  ]
    .filter((name) => property(facts, name) !== '')
    .map((name) => evidence('cmd', `systemctl show ${unit}: ${name}`, property(facts, name), at));
  const log = `journalctl ${facts.own ? '--user ' : ''}-u ${unit} -n 50 --no-pager`;
  const state = property(facts, 'ActiveState');
  const restarts = Number(property(facts, 'NRestarts') || 0);
  const drafts: Draft[] = [];
  if (['bad-setting', 'error'].includes(property(facts, 'LoadState'))) {
    drafts.push({
      status: 'error',
      title: `systemd cannot read ${unit}`,
      evidence: got,
      fix: [
        { text: 'Mend the file', commands: [`systemd-analyze verify ${unit}`, systemctl(facts, 'status')] },
      ],
    });
  } else if (state === 'failed') {
    drafts.push({
      status: 'error',
      title: `${unit} failed (${property(facts, 'Result') || 'unknown'}, exit ${property(facts, 'ExecMainStatus') || '?'}), and systemd does not start it again`,
      evidence: got,
      fix: [
        {
          text: 'Look at its last words, mend that, and start it',
          commands: [log, systemctl(facts, 'restart')],
        },
      ],
    });
  } else if (property(facts, 'SubState') === 'auto-restart' || restarts >= MANY_RESTARTS) {
    drafts.push({
      status: state === 'active' ? 'warn' : 'error',
      title: `${unit} does not stay up: systemd has started it again ${restarts} times`,
      evidence: got,
      fix: [{ text: 'Look why it ends', commands: [log] }],
    });
  }
  if (property(facts, 'UnitFileState') === 'disabled' && state === 'active') {
    drafts.push({
      status: 'warn',
      title: `${unit} runs, but will not after the next start of this machine: it is not enabled`,
      evidence: got,
      fix: [{ text: 'Enable it', commands: [systemctl(facts, 'enable')] }],
    });
  }
  if (property(facts, 'NeedDaemonReload') === 'yes') {
    drafts.push({
      status: 'warn',
      title: `The file of ${unit} was changed, and systemd has not read it since`,
      evidence: got,
      fix: [
        {
          text: 'Let systemd read it, and start the service again',
          commands: [
            `${facts.own ? 'systemctl --user' : 'sudo systemctl'} daemon-reload`,
            systemctl(facts, 'restart'),
          ],
        },
      ],
    });
  }
  return found(...drafts);
}
