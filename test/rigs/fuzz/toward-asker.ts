import { within } from '../../../src/base/abort.ts';
import { BbxError } from '../../../src/base/error.ts';
import type { MasterMessage, WorkerMessage } from '../../../src/protocol/bbx/messages.ts';
import { workerMessage } from '../../../src/protocol/bbx/messages.ts';
import { runSeries } from '../../../src/protocol/bbx/probe-series.ts';
import { greetMaster } from '../../../src/protocol/bbx/worker-session.ts';
import type { MessageSocket } from '../../../src/protocol/bbx/wire.ts';
import { memoryWire } from '../memory-wire.ts';
import { EXPORTER, inTime, LEASES, QUICK, WORKER } from './case.ts';
import type { FuzzCase, FuzzContext, Outcome } from './case.ts';
import { MASTER_WORDS } from './master-vocabulary.ts';
import { mutateScript, pick, type Part } from './mutate.ts';
import { greetingFor } from './toward-worker.ts';
import { base64, say } from './words.ts';

/** Whoever probes a master: what it asks must come to an end, whatever is answered. */
async function ask(socket: MessageSocket, { clock, random, wrong }: FuzzContext): Promise<Outcome> {
  let greeted;
  try {
    greeted = await greetMaster({
      ...{ socket, peer: 'master', exporter: EXPORTER, pins: [], software: 'fuzz', clock, limits: QUICK },
    });
    if (random() < 0.5) await within(greeted.ask.echo(Buffer.alloc(3)), 300);
    // A connection rests once.
    if (random() < 0.2) await greeted.ask.hold(0.5, 'worker');
    else await runSeries(greeted.ask, { signal: new AbortController().signal, stallMs: 300 });
    if (random() < 0.5)
      await greeted.authenticate({ name: 'w1', key: WORKER, boot: 'b', probe: true }).catch(() => undefined);
    return 'answered';
  } catch (error) {
    if (!(error instanceof BbxError)) wrong(error instanceof Error ? String(error.stack) : String(error));
    return { closed: 1000 };
  } finally {
    greeted?.close();
  }
}

function answerTo(question: WorkerMessage): MasterMessage | undefined {
  switch (question.type) {
    case 'echo':
      return { type: 'echoed', id: question.id, payload: question.payload };
    case 'push':
      return { type: 'pushed', id: question.id, bytes: Buffer.byteLength(question.payload, 'base64') };
    case 'pull':
      return { type: 'pulled', id: question.id, payload: base64(question.bytes) };
    case 'witness':
      return { type: 'witnessed', id: question.id, nonce: base64(32), peer: '[::1]:1', bytes: 9 };
    case 'hold':
      return question.by === 'master' ? { type: 'held', id: question.id } : undefined;
    default:
      return undefined;
  }
}

/** Answers to probes with something wrong in them, toward whoever asks. */
export const towardAsker: FuzzCase = (context) => {
  const { random, wrong } = context;
  const [mine, theirs] = memoryWire();
  const send = (parts: readonly Part[]) => {
    for (const part of parts) {
      if ('text' in part) mine.sendText(part.text);
      else mine.sendBinary(part.bytes);
    }
  };
  const types = ['echoed', 'pushed', 'pulled', 'witnessed', 'held', 'refused'] as const;
  mine.on({
    text(text) {
      const parsed = workerMessage.safeParse(JSON.parse(text));
      if (!parsed.success) return wrong(`who asks says what cannot be: ${text.slice(0, 200)}`);
      const question = parsed.data;
      if (question.type === 'hello') return send([greetingFor(random, question.nonce)]);
      const answer =
        question.type === 'authenticate'
          ? MASTER_WORDS[pick(random, ['accepted', 'refused'] as const)](random, LEASES[0]!)
          : answerTo(question);
      const right = answer === undefined ? [] : [say(answer)];
      const roll = random();
      if (roll < 0.85) return send(right);
      if (roll < 0.87) return undefined;
      if (roll < 0.9) return send([say(MASTER_WORDS[pick(random, types)](random, LEASES[0]!)), ...right]);
      return send(mutateScript(random, right));
    },
    binary: () => wrong('who asks sent a binary message'),
    alive: () => undefined,
    drained: () => undefined,
    closed: () => undefined,
  });
  return inTime(ask(theirs, context)).finally(() => mine.destroy());
};
