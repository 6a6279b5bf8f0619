import { randomBytes } from 'node:crypto';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { signGreeting } from '../../../src/protocol/bbx/keys.ts';
import { greetMaster } from '../../../src/protocol/bbx/worker-session.ts';
import type { MessageSocket } from '../../../src/protocol/bbx/wire.ts';
import { runLinkSession } from '../../../src/runtime/worker/link-session.ts';
import { memoryWire } from '../memory-wire.ts';
import { EXPORTER, FARM, inTime, LEASES, QUICK, WORKER, type FuzzCase, type Outcome } from './case.ts';
import { assign, masterWords } from './master-words.ts';
import { memoryJobs } from './memory-jobs.ts';
import { mutateScript, type Part } from './mutate.ts';

const LAST_BUILD = 777_777;

/** The worker's end of a session, at work on builds in memory, until the session is over. */
export async function workOn(socket: MessageSocket): Promise<void> {
  const { jobs, spool } = memoryJobs(LEASES);
  let greeted;
  try {
    greeted = await greetMaster({
      socket,
      peer: 'master',
      exporter: EXPORTER,
      pins: [FARM.fingerprint],
      software: 'fuzz',
      clock: systemClock,
      limits: QUICK,
    });
    const session = await greeted.authenticate({ name: 'w1', key: WORKER, boot: 'b' });
    const link = await runLinkSession({
      ...{ session, name: 'w1', maxBuilds: 2, facts: {}, jobs, spool, log: silentLog },
      onLearned: () => undefined,
    });
    await link.end;
  } catch {
    // Refused, or an end before it was let in: what a worker dials again after.
    greeted?.close();
  }
}

/** A master's conversation with something wrong in it, over a wire in memory, toward the worker's end. */
export const towardWorker: FuzzCase = (random) => {
  const [mine, theirs] = memoryWire();
  const early = random() < 0.15;
  const outcome = Promise.withResolvers<Outcome>();
  const send = (parts: readonly Part[]) => {
    for (const part of parts) {
      if ('text' in part) mine.sendText(part.text);
      else mine.sendBinary(part.bytes);
    }
  };
  mine.on({
    text(text) {
      const message = JSON.parse(text) as { type: string; nonce?: string; build?: number };
      if (message.type === 'assigned' && message.build === LAST_BUILD) return outcome.resolve('answered');
      if (message.type === 'hello') {
        const challenge = randomBytes(32);
        const binding = {
          nonce: Buffer.from(message.nonce ?? '', 'base64'),
          challenge,
          exporter: EXPORTER,
          epoch: 'e',
        };
        const greeting = {
          ...{ type: 'greeting', version: 1, software: 'fuzz', instance: FARM.fingerprint },
          publicKey: Buffer.from(FARM.publicKey).toString('base64'),
          challenge: challenge.toString('base64'),
          ...{ epoch: 'e', signature: signGreeting(FARM, binding), time: 1, capabilities: [] },
        };
        const parts: Part[] = [{ text: JSON.stringify(greeting) }];
        return send(early ? mutateScript(random, parts) : parts);
      }
      if (message.type !== 'authenticate') return undefined;
      const accepted = { type: 'accepted', session: 's', peer: '[::1]:1', reach: [], pins: [] };
      const door: Part[] = [{ text: JSON.stringify(accepted) }];
      const words = masterWords(random, LEASES);
      send(early ? mutateScript(random, [...door, ...words]) : [...door, ...mutateScript(random, words)]);
      return send([assign({ build: LAST_BUILD, token: `1-${'c'.repeat(16)}` })]);
    },
    binary: () => undefined,
    alive: () => undefined,
    drained: () => undefined,
    closed: (code) => outcome.resolve({ closed: code }),
  });
  const over = workOn(theirs);
  return inTime(outcome.promise).finally(async () => {
    mine.destroy();
    // The worker's own end must come too, whatever it was told.
    await inTime(over.then(() => 'answered'));
  });
};
