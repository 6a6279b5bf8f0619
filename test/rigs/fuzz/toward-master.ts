import { systemClock } from '../../../src/base/clock.ts';
import { signAuthentication } from '../../../src/protocol/bbx/keys.ts';
import { serveMasterSession } from '../../../src/protocol/bbx/master-session.ts';
import type { MessageSocket } from '../../../src/protocol/bbx/wire.ts';
import { memoryWire } from '../memory-wire.ts';
import { EXPORTER, FARM, inTime, LEASES, QUICK, WORKER, type FuzzCase, type Outcome } from './case.ts';
import { judgingHandlers } from './judge.ts';
import { mutateScript, type Part, type Random } from './mutate.ts';
import { restWords, workerWords } from './worker-words.ts';

const LAST_ECHO = 777_777;

/** The master's end of a session, served and judged. */
export function serveJudged(socket: MessageSocket, random: Random, wrong: (what: string) => void): void {
  serveMasterSession({
    socket,
    peer: 'worker',
    exporter: EXPORTER,
    key: FARM,
    epoch: 'e',
    software: 'fuzz',
    clock: systemClock,
    limits: QUICK,
    authenticate: (claim) =>
      Promise.resolve(
        claim.name === 'w1'
          ? { let: 'in', session: 's', reach: [], pins: [] }
          : { let: 'out', reason: 'unknown' },
      ),
    accept: (session) => judgingHandlers({ session, leases: LEASES, random, wrong }),
  });
}

/** A worker's conversation with something wrong in it, over a wire in memory, toward the master's end. */
export const towardMaster: FuzzCase = (random, wrong) => {
  const [mine, theirs] = memoryWire();
  serveJudged(theirs, random, wrong);
  const early = random() < 0.15;
  const send = (parts: readonly Part[]) => {
    for (const part of parts) {
      if ('text' in part) mine.sendText(part.text);
      else mine.sendBinary(part.bytes);
    }
  };
  const nonce = Buffer.alloc(32, 9);
  const hello = { type: 'hello', versions: [1], software: 'fuzz', nonce: nonce.toString('base64') };
  const outcome = Promise.withResolvers<Outcome>();
  let greeted = false;
  mine.on({
    text(text) {
      const message = JSON.parse(text) as { type: string; id?: number; challenge?: string };
      if (message.type === 'pause' || message.type === 'proceed') return send(restWords(random, text));
      if (message.type === 'echoed' && message.id === LAST_ECHO) return outcome.resolve('answered');
      if (message.type !== 'greeting' || greeted) return;
      greeted = true;
      const challenge = Buffer.from(message.challenge ?? '', 'base64');
      const claim = { name: 'w1', boot: 'b' };
      const authenticate = {
        type: 'authenticate',
        ...claim,
        publicKey: Buffer.from(WORKER.publicKey).toString('base64'),
        signature: signAuthentication(WORKER, { nonce, challenge, exporter: EXPORTER, ...claim }),
      };
      const door: Part[] = [{ text: JSON.stringify(authenticate) }];
      const words = workerWords(random, LEASES);
      send(early ? mutateScript(random, [...door, ...words]) : [...door, ...mutateScript(random, words)]);
      mine.sendText(JSON.stringify({ type: 'echo', id: LAST_ECHO, payload: '' }));
    },
    binary: () => wrong('the master sent a binary message'),
    alive: () => undefined,
    drained: () => undefined,
    closed: (code) => outcome.resolve({ closed: code }),
  });
  const first: Part[] = [{ text: JSON.stringify(hello) }];
  send(early && random() < 0.3 ? mutateScript(random, first) : first);
  return inTime(outcome.promise).finally(() => mine.destroy());
};
