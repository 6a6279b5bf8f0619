import { randomBytes } from 'node:crypto';
import { BbxError } from '../../../src/base/error.ts';
import { silentLog } from '../../../src/base/log.ts';
import { signGreeting } from '../../../src/protocol/bbx/keys.ts';
import { greetMaster } from '../../../src/protocol/bbx/worker-session.ts';
import type { MessageSocket } from '../../../src/protocol/bbx/wire.ts';
import { runLinkSession } from '../../../src/runtime/worker/link-session.ts';
import { memoryWire } from '../memory-wire.ts';
import { EXPORTER, FARM, inTime, LEASES, QUICK, WORKER } from './case.ts';
import type { FuzzCase, FuzzContext, Outcome } from './case.ts';
import { lookForFault } from './judge.ts';
import { judgeWorker } from './judge-worker.ts';
import { MASTER_WORDS } from './master-vocabulary.ts';
import { assign, masterWords } from './master-words.ts';
import { memoryHistory } from './memory-history.ts';
import { memoryJobs } from './memory-jobs.ts';
import { mutateScript, type Part, type Random } from './mutate.ts';
import { say } from './words.ts';
import { wayOf } from './worker-vocabulary.ts';

const LAST_BUILD = 777_777;
const LAST_LEASE = { build: LAST_BUILD, token: `1-${'c'.repeat(16)}` };
/** By then the worker has begun to tell its history. */
const LATE_MS = 2_000;

/** The worker's end of a session, at work on builds in memory, until the session is over. */
export async function workOn(socket: MessageSocket, { clock, random, wrong }: FuzzContext): Promise<void> {
  const { jobs, spool } = memoryJobs(LEASES);
  const tried = async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    return [wayOf(random)];
  };
  let greeted;
  try {
    greeted = await greetMaster({
      ...{ socket, peer: 'master', exporter: EXPORTER, pins: [FARM.fingerprint] },
      ...{ software: 'fuzz', clock, limits: QUICK },
    });
    const session = await greeted.authenticate({ name: 'w1', key: WORKER, boot: 'b' });
    const link = await runLinkSession({
      ...{ session, name: 'w1', maxBuilds: 2, facts: {}, jobs, spool, log: silentLog },
      recording: { history: memoryHistory(random), clock, random },
      ...{ tryWays: tried, tryPlaces: tried },
      onLearned: () => undefined,
    });
    lookForFault((await link.end).end, wrong);
  } catch (error) {
    // Refused, or an end before it was let in: what a worker dials again after. Anything else is a fault of ours.
    if (!(error instanceof BbxError)) wrong(error instanceof Error ? String(error.stack) : String(error));
    greeted?.close();
  }
}

/** The right greeting for a nonce. */
export function greetingFor(random: Random, nonce: string): Part {
  const challenge = randomBytes(32);
  const binding = { nonce: Buffer.from(nonce, 'base64'), challenge, exporter: EXPORTER, epoch: 'e' };
  return say({
    ...MASTER_WORDS.greeting(random, LAST_LEASE),
    ...{ instance: FARM.fingerprint, publicKey: Buffer.from(FARM.publicKey).toString('base64') },
    ...{ challenge: challenge.toString('base64'), signature: signGreeting(FARM, binding) },
  });
}

/** A master's conversation with something wrong in it, over a wire in memory, toward the worker's end. */
export const towardWorker: FuzzCase = (context) => {
  const { random, wrong } = context;
  const [mine, theirs] = memoryWire();
  const judge = judgeWorker(wrong);
  const early = random() < 0.15;
  const lateMs = random() < 0.15 ? LATE_MS : 0;
  const outcome = Promise.withResolvers<Outcome>();
  const send = (parts: readonly Part[]) => {
    judge.told(parts);
    for (const part of parts) {
      if ('text' in part) mine.sendText(part.text);
      else mine.sendBinary(part.bytes);
    }
  };
  mine.on({
    text(text) {
      const message = judge.text(text);
      if (message === undefined) return undefined;
      if (message.type === 'assigned' && message.build === LAST_BUILD) return outcome.resolve('answered');
      if (message.type === 'history') {
        const stored = say({ type: 'historyStored', number: message.records.at(-1)?.number ?? 0 });
        return send(random() < 0.7 ? [stored] : mutateScript(random, [stored, stored]));
      }
      if (message.type === 'hello') {
        const parts = [greetingFor(random, message.nonce)];
        return send(early ? mutateScript(random, parts) : parts);
      }
      if (message.type !== 'authenticate') return undefined;
      const door = [say(MASTER_WORDS.accepted(random, LAST_LEASE))];
      const words = masterWords(random, LEASES);
      send(early ? mutateScript(random, [...door, ...words]) : [...door, ...mutateScript(random, words)]);
      const last = () => send([assign(random, LAST_LEASE)]);
      if (lateMs > 0) setTimeout(last, lateMs);
      else last();
      return undefined;
    },
    binary: (bytes) => judge.binary(bytes),
    alive: () => undefined,
    drained: () => undefined,
    closed: (code) => outcome.resolve({ closed: code }),
  });
  const over = workOn(theirs, context);
  return inTime(outcome.promise).finally(async () => {
    mine.destroy();
    // The worker's own end must come too, whatever it was told.
    await inTime(over.then(() => 'answered'));
  });
};
