import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { usableAddresses, type HostFacts } from '../../facts/host.ts';
import type { ListenerSubject } from '../../subject.ts';
import { topics } from './question.ts';
import { setListen } from './set-listen.ts';

export const lsn10 = defineCheck<'listener', HostFacts>({
  id: 'LSN-10',
  title: 'the web port is not open to everybody',
  about: 'listener',
  topics,
  needs: [],
  gather: (context) => context.probes.host(),
  judge: judgeExposure,
});

function judgeExposure(host: HostFacts, listener: ListenerSubject): Judgement {
  if (listener.plane !== 'web') return skip('it is no web port; workers speak TLS and prove a key');
  const wide = listener.hosts.some((address) => address === '::' || address === '0.0.0.0');
  const open = ([6, 4] as const).flatMap((family) =>
    usableAddresses(host, family).filter(({ kind }) => kind === 'global'),
  );
  if (!wide || open.length === 0) return nothing;
  return found({
    status: 'warn',
    title: `The web port ${listener.text} speaks plain HTTP on every address, and this host has public ones: tokens can be read on the way`,
    confidence: 'possible',
    evidence: [
      evidence('file', listener.source, listener.text, host.at),
      evidence(
        'proc',
        'public addresses of this host',
        open.map(({ address }) => address).join(', '),
        host.at,
      ),
    ],
    fix: [
      {
        text: 'Listen on this host alone, and put a web server with TLS before it',
        commands: setListen(listener, `localhost:${listener.port}`),
      },
      { text: 'A firewall that lets nobody else in will do as well; nothing here can see one' },
    ],
  });
}
