import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/base/clock.ts';
import { dial } from '../../src/net/dial.ts';
import { parseAddress } from '../../src/net/endpoint/address.ts';
import { openWebSocket } from '../../src/net/web-socket.ts';
import {
  createWorkerKey,
  EXPORTER_BYTES,
  EXPORTER_LABEL,
  type SigningKey,
} from '../../src/protocol/bbx/keys.ts';
import type { SessionEnd } from '../../src/protocol/bbx/line.ts';
import type { MasterMessage, MessageOf } from '../../src/protocol/bbx/messages.ts';
import { parseJoin } from '../../src/protocol/bbx/join.ts';
import { WORKER_SUBPROTOCOL, type MessageSocket } from '../../src/protocol/bbx/wire.ts';
import { greetMaster } from '../../src/protocol/bbx/worker-session.ts';
import type { TestMaster } from './master.ts';
import { until } from './wait.ts';

/** A worker over real TLS that was let in and says whatever the test wants, right or wrong. */
export interface RawWorker {
  readonly socket: MessageSocket;
  readonly got: readonly MasterMessage[];
  readonly end: Promise<SessionEnd>;
  say(message: object): void;
  next<Type extends MasterMessage['type']>(type: Type): Promise<MessageOf<MasterMessage, Type>>;
  leave(): void;
}

export async function rawWorker(
  rig: TestMaster,
  name: string,
  options: { key?: SigningKey; secret?: string; inventory?: object } = {},
): Promise<RawWorker> {
  const address = rig.master.bound.workers[0]!;
  const pins = [rig.master.fingerprint];
  let { secret } = options;
  if (options.key === undefined && secret === undefined) {
    const { join } = await rig.client.call('addWorker', { body: { names: name, expiresMs: 60_000 } });
    secret = parseJoin(join).secret.reveal();
  }
  const { stream, secured } = await dial(
    { to: parseAddress(address), via: [], tls: { pins } },
    { signal: AbortSignal.timeout(10_000) },
  );
  const socket = await openWebSocket(stream, { target: address, protocol: WORKER_SUBPROTOCOL });
  const exporter = secured!.exporter(EXPORTER_LABEL, EXPORTER_BYTES);
  const about = { peer: address, software: 'raw', clock: systemClock };
  const greeted = await greetMaster({ socket, exporter, pins, ...about });
  const { key = createWorkerKey().key } = options;
  const session = await greeted.authenticate({ name, key, boot: randomBytes(8).toString('hex'), secret });
  const got: MasterMessage[] = [];
  const taken = new Set<MasterMessage>();
  session.receive((message) => void got.push(message));
  const say = (message: object) => socket.sendText(JSON.stringify(message));
  say({
    ...{ type: 'inventory', maxBuilds: 2, facts: {}, draining: false, builds: [] },
    ...options.inventory,
  });
  return {
    socket,
    got,
    end: session.end,
    say,
    next: (type) =>
      until(`the master to say "${type}"`, () => {
        const found = got.find((message) => message.type === type && !taken.has(message));
        if (found !== undefined) taken.add(found);
        return found as MessageOf<MasterMessage, typeof type> | undefined;
      }),
    leave: () => socket.destroy(),
  };
}
