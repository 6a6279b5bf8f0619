import type { Clock } from '../../base/clock.ts';
import { CLOSE } from '../../protocol/bbx/wire.ts';
import type { SessionEnd } from '../../protocol/bbx/line.ts';
import type { WorkerSession } from '../../protocol/bbx/worker-session.ts';
import type { LinkHistory } from './link-history.ts';

/** Round trips are written down once a minute. */
const EVERY_MS = 60_000;
const WHO = { here: 'worker', peer: 'master', nobody: 'nobody' } as const;

/** Writes down how a session does, and how it ends. */
export function startLinkPulse(options: {
  session: Pick<WorkerSession, 'accepted' | 'takePulse' | 'heardAt'>;
  history: LinkHistory;
  clock: Clock;
}): { end(end: SessionEnd): void } {
  const { session, history, clock } = options;
  const began = clock.monotonic();
  const note = () => {
    const pulse = session.takePulse();
    if (pulse.pings > 0) history.add({ kind: 'pulse', ...pulse });
  };
  const timer = setInterval(note, EVERY_MS);
  return {
    end({ by, code, reason, error }) {
      clearInterval(timer);
      note();
      const now = clock.monotonic();
      // An end without a word is told by what the system said of it.
      const said = code === 1006 || code === CLOSE.silent ? String(error?.data['state'] ?? reason) : reason;
      history.add({
        kind: 'down',
        session: session.accepted.session,
        by: WHO[by],
        code,
        reason: said.slice(0, 300),
        silentMs: Math.max(0, Math.round(now - session.heardAt)),
        lastedMs: Math.max(0, Math.round(now - began)),
      });
    },
  };
}
