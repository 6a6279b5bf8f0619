import { expect, it } from 'vitest';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLog } from '../../../../src/base/log.ts';
import type { WorkerSession } from '../../../../src/protocol/bbx/worker-session.ts';
import { startSender } from '../../../../src/runtime/worker/link-sender.ts';
import { openSpool } from '../../../../src/runtime/worker/spool.ts';
import { planOf } from '../../../rigs/link-worker.ts';
import { tempDir } from '../../../rigs/temp-dir.ts';

it('what a resume says to be stored is freed: its acknowledgement was lost with the link, and a held-up log gets no other', async () => {
  await using dir = await tempDir();
  const limitBytes = 400_000;
  const spool = await openSpool({ dir: dir.path, limitBytes, clock: systemClock, log: silentLog });
  const token = '1-00000000000000aa';
  const build = await spool.create({ build: 7, token, epoch: 'e', orphanAfter: null, plan: planOf(['a']) });
  await build.journal.event({ type: 'buildStarted', at: 1, workdir: '/w' });
  await build.journal.event({ type: 'stepStarted', at: 1, step: 0, name: 'a' });
  const log = build.journal.log(0, 'stdio');
  await log.write('stdout', Buffer.alloc(350_000));
  let more = false;
  const held = Promise.resolve(log.write('stdout', Buffer.alloc(60_000))).then(() => (more = true));
  // The line that says so is in the log.
  await expect.poll(() => build.logs[0]!.size).toBeGreaterThan(350_000);

  const session = {
    send: () => undefined,
    sendLog: () => undefined,
    unsent: 0,
    drained: async () => undefined,
    ended: false,
    end: new Promise(() => undefined),
  } as unknown as WorkerSession;
  const sender = startSender({ session, onUnfit: () => undefined, onDelivered: () => undefined });
  sender.add(build, { sequence: 2, logs: [{ step: 0, log: 'stdio', bytes: build.logs[0]!.size }] });
  await expect.poll(() => more).toBe(true);
  await held;
  await sender.stop();
  await spool.close();
});
