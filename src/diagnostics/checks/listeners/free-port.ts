import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ListenerFacts } from '../../facts/listeners.ts';
import type { ListenerSubject } from '../../subject.ts';
import { gather, topics } from './question.ts';
import { rowsEvidence } from './rows.ts';
import { setListen } from './set-listen.ts';

export const lsn04 = defineCheck<'listener', ListenerFacts>({
  id: 'LSN-04',
  title: 'the port is free before a start',
  about: 'listener',
  topics,
  needs: [],
  causes: ['LSN-11', 'LSN-09', 'LSN-02', 'LSN-03'],
  gather,
  judge: (facts, listener, context) => judgeFree(facts, listener, context),
});

function judgeFree(facts: ListenerFacts, listener: ListenerSubject, context: JudgeContext): Judgement {
  if (listener.state === 'running') return skip('its master runs');
  if (listener.port === 0) return skip('the system chooses the port');
  const held = facts.binds.filter((bind) => bind.errno === 'EADDRINUSE');
  if (held.length === 0) return nothing;
  const got = [
    ...held.map((bind) =>
      evidence('connect', `bind ${printHostPort(bind.address, listener.port)}`, 'EADDRINUSE', facts.at),
    ),
    ...rowsEvidence(facts, listener.port),
  ];
  const holders = holdersOf(facts);
  if (listener.state === 'given') {
    // Who names a listener that is up wants to know how it does; under `listen` perhaps also whether a master could start there.
    if (context.topic !== 'listen') return nothing;
    return found({
      status: 'warn',
      title: `${listener.text} is in use by ${holders}`,
      evidence: got,
      fix: [
        {
          text: 'If that is not the program you mean: stop it, or choose another port',
          commands: [`ss -ltnp sport = :${listener.port}`],
        },
      ],
    });
  }
  const meant = new Set(context.subjects.flatMap((one) => (one.kind === 'listener' ? [one.port] : [])));
  const other = facts.free.find((port) => !meant.has(port));
  return found({
    status: 'error',
    title: `The master cannot listen on ${listener.text}: the port is held by ${holders}`,
    evidence: got,
    fix: [
      {
        text: 'Stop that program, or choose another port',
        commands: [
          `ss -ltnp sport = :${listener.port}`,
          ...(other === undefined ? [] : setListen(listener, listener.text.replace(/:\d+$/, `:${other}`))),
        ],
      },
    ],
  });
}

/** Each program once, however many sockets it has; the sockets themselves are evidence. */
function holdersOf(facts: ListenerFacts): string {
  const owners = (facts.rows ?? []).map((row) => row.owner ?? 'a program that this user cannot see');
  return [...new Set(owners)].join(' and ') || 'a program that this user cannot see';
}
