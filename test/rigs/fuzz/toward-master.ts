import { signAuthentication } from '../../../src/protocol/bbx/keys.ts';
import { masterMessage } from '../../../src/protocol/bbx/messages.ts';
import { serveMasterSession } from '../../../src/protocol/bbx/master-session.ts';
import type { MessageSocket } from '../../../src/protocol/bbx/wire.ts';
import { memoryWire } from '../memory-wire.ts';
import { EXPORTER, FARM, inTime, LEASES, QUICK, WORKER } from './case.ts';
import type { FuzzCase, FuzzContext, Outcome } from './case.ts';
import { judgingHandlers } from './judge.ts';
import { mutateScript, type Part } from './mutate.ts';
import { say } from './words.ts';
import { probeWords, restWords, workerWords } from './worker-words.ts';

const LAST_ECHO = 777_777;
/** Connections that may rest at once. */
const HOLDS = 2;

/** The master's end of a session, served and judged. */
export function serveJudged(socket: MessageSocket, context: FuzzContext): void {
  const { wrong } = context;
  let held = 0;
  let entered = false;
  let rejected = 0;
  context.after(() => {
    if (held > 0) wrong('a place among the connections that rest is not given back');
    if (rejected !== (entered ? 0 : 1)) wrong(`rejected ${rejected} times, let in: ${entered}`);
  });
  serveMasterSession({
    socket,
    peer: 'worker',
    exporter: EXPORTER,
    key: FARM,
    epoch: 'e',
    software: 'fuzz',
    clock: context.clock,
    capabilities: ['history', 'probes'],
    limits: QUICK,
    authenticate: (claim) =>
      Promise.resolve(
        claim.name === 'w1'
          ? { let: 'in', session: 's', reach: [], pins: [] }
          : { let: 'out', reason: 'unknown' },
      ),
    accept(session) {
      entered = true;
      return judgingHandlers(context, session, LEASES);
    },
    onRejected: () => void (rejected += 1),
    mayHold() {
      if (held >= HOLDS) return undefined;
      held += 1;
      return () => void (held -= 1);
    },
  });
}

/** A worker's conversation with something wrong in it, over a wire in memory, toward the master's end. */
export const towardMaster: FuzzCase = (context) => {
  const { random, wrong } = context;
  const [mine, theirs] = memoryWire();
  serveJudged(theirs, context);
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
      const parsed = masterMessage.safeParse(JSON.parse(text));
      if (!parsed.success) return wrong(`the master says what cannot be: ${text.slice(0, 200)}`);
      const message = parsed.data;
      if (message.type === 'pause' || message.type === 'proceed') return send(restWords(random, text));
      if (message.type === 'echoed' && message.id === LAST_ECHO) return outcome.resolve('answered');
      if (message.type !== 'greeting' || greeted) return;
      greeted = true;
      const challenge = Buffer.from(message.challenge, 'base64');
      const claim = { name: 'w1', boot: 'b' };
      const authenticate = {
        type: 'authenticate',
        ...claim,
        publicKey: Buffer.from(WORKER.publicKey).toString('base64'),
        signature: signAuthentication(WORKER, { nonce, challenge, exporter: EXPORTER, ...claim }),
      };
      const door: Part[] = [...(random() < 0.2 ? probeWords(random) : []), say(authenticate)];
      const words = workerWords(random, LEASES);
      send(early ? mutateScript(random, [...door, ...words]) : [...door, ...mutateScript(random, words)]);
      send([say({ type: 'echo', id: LAST_ECHO, payload: '' })]);
    },
    binary: () => wrong('the master sent a binary message'),
    alive: () => undefined,
    drained: () => undefined,
    closed: (code) => outcome.resolve({ closed: code }),
  });
  const first = [say(hello)];
  send(early && random() < 0.3 ? mutateScript(random, first) : first);
  return inTime(outcome.promise).finally(() => mine.destroy());
};
