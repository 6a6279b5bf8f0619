import { errnoOf, sentences } from '../../base/error.ts';
import type { Clock } from '../../base/clock.ts';
import type { BbxError } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import { protocolCodes } from '../../protocol/codes.ts';
import type { SessionEnd } from '../../protocol/bbx/line.ts';
import { PLACES, type DialledWay, type DialPlace } from '../../protocol/bbx/dial-facts.ts';
import { PAUSE, type MasterMessage, type WorkerMessage } from '../../protocol/bbx/messages.ts';
import type { WorkerSession } from '../../protocol/bbx/worker-session.ts';
import { buildTitle } from '../../build/title.ts';
import type { Answer, Jobs } from './jobs.ts';
import type { LinkHistory } from './link-history.ts';
import type { Learned } from './link-learned.ts';
import { startLinkPulse } from './link-pulse.ts';
import { startSender } from './link-sender.ts';
import { startLinkTeller } from './link-teller.ts';
import type { Spool } from './spool.ts';

export interface LinkSessionOptions {
  session: WorkerSession;
  name: string;
  maxBuilds: number;
  /** What the worker is, for the master to show: os, arch, node … */
  facts: Readonly<Record<string, string>>;
  jobs: Jobs;
  spool: Spool;
  log: Log;
  /** Where this is written down, if anywhere. */
  recording?: { history: LinkHistory; clock: Clock; random: () => number } | undefined;
  /** Tries the ways to the master anew, when it asks for that. */
  tryWays?: (() => Promise<DialledWay[]>) | undefined;
  /** Tries other places, when it asks for those. */
  tryPlaces?: ((places: readonly DialPlace[]) => Promise<DialledWay[]>) | undefined;
  /** The master's words about itself. */
  onLearned(learned: Learned): void;
}

/** One session that was let in, at work. */
export interface LinkSession {
  /** Tells the master anew whether the worker drains and what troubles it. */
  tellState(): void;
  /** Resolves at its end, with an error when this worker must not come back. */
  readonly end: Promise<{ end: SessionEnd; fatal?: BbxError }>;
  close(): void;
}

/** Reports what is here, then does what the master says and sends what it has not stored. */
export async function runLinkSession(options: LinkSessionOptions): Promise<LinkSession> {
  const { session, jobs, spool, log, name, recording } = options;
  const { epoch } = session.greeting;
  let fatal: BbxError | undefined;

  // From the first moment on, so that last words are heard; they are taken in order, after what is under way here.
  const prepared = Promise.withResolvers<void>();
  let isPrepared = false;
  session.receive((message) =>
    isPrepared ? onMessage(message) : prepared.promise.then(() => onMessage(message)),
  );
  try {
    await jobs.adoptEpoch(epoch);
  } finally {
    isPrepared = true;
    prepared.resolve();
  }
  const sender = startSender({
    session,
    onUnfit(build, why) {
      log.error(`build ${buildTitle(build.lease.plan)} cannot be delivered: ${why}`);
      abandon(build.lease, why);
    },
    onDelivered: (build) => later(jobs.delivered(build.lease)),
  });

  jobs.onDropped = (lease) => sender.remove(lease);

  function send(message: WorkerMessage): void {
    session.send(message);
  }
  /** What takes longer than a message may: its failure is worth a line, and nothing else can be done. */
  function later(act: Promise<unknown>): void {
    act.catch((error: unknown) => log.error(sentences(error).join(': ')));
  }
  function abandon({ build, token }: { build: number; token: string }, why: string): void {
    send({ type: 'abandoned', build, token, why });
    later(jobs.drop({ build, token }, why));
  }
  function state(): WorkerMessage & { type: 'state' } {
    const notes = spool.notes().map((note) => note.slice(0, 1_000));
    return { type: 'state', draining: jobs.draining, notes: notes.slice(0, 20) };
  }

  async function onMessage(message: MasterMessage): Promise<void> {
    switch (message.type) {
      case 'resume': {
        const job = jobs.find(message);
        if (job === undefined) return;
        const why = jobs.lost(job, message);
        if (why === undefined) sender.add(job.build, message);
        else abandon(message, why);
        return;
      }
      case 'assign':
        return onAssign(message);
      case 'drop':
        return later(jobs.drop(message, message.why));
      case 'cancel':
        return jobs.cancel(message, message.why);
      case 'ack':
        return sender.acknowledged(message);
      case 'pause':
        return sender.pause(message);
      case 'proceed':
        return sender.proceed(message);
      case 'settings':
        return options.onLearned({ pins: message.pins, reach: message.reach });
      case 'historyStored':
        return teller?.stored(message.number);
      case 'dial':
        if (message.places !== undefined) {
          const { id } = message;
          if (options.tryPlaces !== undefined)
            later(
              options
                .tryPlaces(message.places)
                .then((places) => send({ type: 'dialled', id, ways: [], places })),
            );
        } else if (options.tryWays !== undefined)
          later(options.tryWays().then((ways) => send({ type: 'dialled', id: message.id, ways })));
        return;
      case 'bye':
        if (message.reason === 'replaced')
          fatal = protocolCodes['BBX-PRO-REPLACED']({ name, message: message.message });
        if (message.reason === 'removed')
          fatal = protocolCodes['BBX-PRO-REMOVED']({ name, message: message.message });
        return;
      default:
        // Greeting and refusal belong before the session, echoes to who asked; the session has seen to both.
        return;
    }
  }

  async function onAssign(message: MasterMessage & { type: 'assign' }): Promise<void> {
    const { build, token } = message;
    let answer: Answer;
    try {
      answer = await jobs.assign(message, epoch);
    } catch (error) {
      const full = ['ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '');
      const why = full ? 'the disk of its spool is full' : sentences(error).join(': ');
      answer = { accepted: false, why: why.slice(0, 1_000) };
    }
    if (!answer.accepted) {
      log.warn(`build ${buildTitle(message.plan)} is refused: ${answer.why}`);
      return send({ type: 'assigned', build, token, accepted: false, why: answer.why });
    }
    send({ type: 'assigned', build, token, accepted: true });
    if (!sender.has(message)) sender.add(answer.job.build, { sequence: 0, logs: [] });
  }

  send({
    type: 'inventory',
    maxBuilds: options.maxBuilds,
    facts: { ...options.facts },
    draining: jobs.draining,
    clock: session.masterClock,
    capabilities: [
      PAUSE,
      ...(options.tryWays === undefined ? [] : ['dial']),
      ...(options.tryPlaces === undefined ? [] : [PLACES]),
    ],
    builds: jobs.inventory(),
    aside: spool.aside.map(({ build, epoch: other, name: title }) => ({ build, epoch: other, name: title })),
  });
  if (spool.notes().length > 0) send(state());

  const teller = recording && startLinkTeller({ session, ...recording });
  const pulse = recording && startLinkPulse({ session, ...recording });

  const end = session.end.then(async (ended) => {
    teller?.stop();
    pulse?.end(ended);
    jobs.onDropped = undefined;
    await sender.stop();
    return fatal === undefined ? { end: ended } : { end: ended, fatal };
  });
  return { tellState: () => send(state()), end, close: () => session.close() };
}
