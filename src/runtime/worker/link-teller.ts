import { HISTORY } from '../../protocol/bbx/link-facts.ts';
import type { WorkerSession } from '../../protocol/bbx/worker-session.ts';
import type { LinkHistory } from './link-history.ts';

/** After the session's beginning, which has more urgent things to say; spread, since a whole farm may be coming back. */
const FIRST_MS = { least: 500, spread: 1_000 };
/** Records that come while the link stands wait for company. */
const LATER_MS = 1_000;
/** A message that is not answered for so long was left out by the master, or its store is away: it is sent again. */
const AGAIN_MS = 60_000;

/** Tells the master what this worker wrote down about the link. */
export interface LinkTeller {
  /** The master has the records up to this number. */
  stored(number: number): void;
  stop(): void;
}

/** Sends the history over a session, one message at a time, again where no answer comes; does nothing for a master that has not asked for it. */
export function startLinkTeller(options: {
  session: Pick<WorkerSession, 'greeting' | 'send'>;
  history: LinkHistory;
  random: () => number;
}): LinkTeller {
  const { session, history, random } = options;
  if (!session.greeting.capabilities.includes(HISTORY))
    return { stored: () => undefined, stop: () => undefined };
  let timer: NodeJS.Timeout | undefined;
  /** Set while an answer is waited for. */
  let asked: NodeJS.Timeout | undefined;
  let stopped = false;

  function send(): void {
    timer = asked = undefined;
    const records = history.untold();
    if (records.length === 0 || stopped) return;
    asked = setTimeout(send, AGAIN_MS);
    session.send({ type: 'history', records });
  }
  function wait(ms: number): void {
    if (timer === undefined && asked === undefined && !stopped) timer = setTimeout(send, ms);
  }
  history.onUntold = () => wait(LATER_MS);
  wait(FIRST_MS.least + FIRST_MS.spread * random());
  return {
    stored(number) {
      const first = history.untold()[0]?.number;
      history.told(number);
      // Words that nobody asked for, or that say nothing new, bring nothing.
      if (asked === undefined || history.untold()[0]?.number === first) return;
      clearTimeout(asked);
      asked = undefined;
      if (history.untold().length > 0) send();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(asked);
      history.onUntold = undefined;
    },
  };
}
