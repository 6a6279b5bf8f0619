import { kindOf } from '../../../net/address-kind.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ListenerSubject } from '../../subject.ts';
import { topics } from './question.ts';
import { setListen } from './set-listen.ts';

export const lsn08 = defineCheck<'listener', { at: string }>({
  id: 'LSN-08',
  title: 'reachable by workers of other hosts',
  about: 'listener',
  topics,
  needs: [],
  async gather(context) {
    return { at: (await context.probes.host()).at };
  },
  judge: ({ at }, listener) => judgeRemote(at, listener),
});

function judgeRemote(at: string, listener: ListenerSubject): Judgement {
  if (listener.plane !== 'worker') return skip('no worker connects there');
  const loopback = listener.hosts.every((host) => kindOf(host) === 'loopback');
  if (!loopback) return nothing;
  const remote = listener.reach.filter((reach) => !isLocal(reach));
  if (remote.length === 0) return nothing;
  return found({
    status: 'error',
    title: `Workers are told to come to ${remote.join(', ')}, but ${listener.text} listens on loopback alone`,
    evidence: [
      evidence('file', `${listener.source} listen`, listener.text, at),
      evidence('file', `${listener.source} reach`, listener.reach.join(', '), at),
    ],
    fix: [
      {
        text: 'Listen on every address',
        commands: setListen(listener, `[::]:${listener.port}`),
      },
      {
        text: `Or, where workers come through a tunnel, name its end on their side: reach: ["localhost:${listener.port}"]`,
      },
    ],
  });
}

/** `reach` says a place of this host by its very text. */
function isLocal(reach: string): boolean {
  const host = reach.replace(/^\[([^\]]*)\].*$/, '$1').replace(/^([^:]*):\d+$/, '$1');
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    kindOf(host) === 'loopback' ||
    reach.startsWith('unix:')
  );
}
