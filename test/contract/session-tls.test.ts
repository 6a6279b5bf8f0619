import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CommandPort } from '../../src/build/command-port.ts';
import { parseListen } from '../../src/net/endpoint/listen-address.ts';
import { listen } from '../../src/net/listen.ts';
import { createFarmKey, selfSignedCertificate } from '../../src/net/tls/certificate.ts';
import { pinOf } from '../../src/net/tls/pin.ts';
import { createWebSocketAcceptor } from '../../src/net/web-socket.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL } from '../../src/protocol/bbx/keys.ts';
import { WORKER_SUBPROTOCOL } from '../../src/protocol/bbx/wire.ts';
import { dialMaster } from '../../src/runtime/worker/start-dial.ts';
import { createLinkMaster, isOver, logOf } from '../rigs/link-master.ts';
import { planOf, startLinkWorker } from '../rigs/link-worker.ts';
import { tempDir } from '../rigs/temp-dir.ts';

/** A master's worker port on loopback: TCP, TLS with the farm's key, WebSocket, session. */
async function startPort(
  pem: string,
  master: ReturnType<typeof createLinkMaster>,
  cutAfter?: (connection: number) => number,
) {
  const acceptor = createWebSocketAcceptor({ protocol: WORKER_SUBPROTOCOL });
  let connections = 0;
  return listen({
    addresses: [parseListen('127.0.0.1:0')],
    tls: { key: pem, cert: selfSignedCertificate(pem) },
    onConnection({ stream, peer, secured }) {
      connections += 1;
      let left = cutAfter?.(connections) ?? Infinity;
      acceptor.accept(stream, { peer }).then(
        (socket) => {
          stream.on('data', (chunk: Buffer) => {
            left -= chunk.length;
            if (left < 0) stream.destroy();
          });
          master.serve(socket, secured?.exporter(EXPORTER_LABEL, EXPORTER_BYTES) ?? new Uint8Array(), peer);
        },
        () => undefined,
      );
    },
  });
}

const BYTES = 3 * 1024 * 1024 + 11;
const whole = Buffer.alloc(BYTES, createHash('sha256').update('log').digest());
const port: CommandPort = {
  async run(_, { onOutput }) {
    for (let at = 0; at < BYTES; at += 50_021) await onOutput('stdout', whole.subarray(at, at + 50_021));
    return { ended: 'exit', rc: 0, signal: null };
  },
};

describe('a session over TLS on loopback', () => {
  it.each([
    ['uncut', undefined],
    ['cut after every half megabyte or so', (connection: number) => 400_000 + connection * 77_777],
    [
      'cut early, in greeting and inventory',
      (connection: number) => (connection < 8 ? connection * 150 : Infinity),
    ],
  ])('delivers a build byte for byte, %s', async (_, cutAfter) => {
    await using dir = await tempDir();
    const pem = createFarmKey();
    const master = createLinkMaster({ storeMs: 1, key: pem });
    await using listener = await startPort(pem, master, cutAfter);
    const target = listener.bound[0]!;
    await using worker = await startLinkWorker({
      dir: dir.path,
      pins: [master.pin],
      dial: (_target, options) => dialMaster(target, { ...options, via: [] }),
      port,
    });
    const build = master.want(1, planOf(['a']));
    await master.until(() => isOver(build), 'the end of the build', 14_000);
    const log = logOf(build, 0);
    expect(log.includes(whole)).toBe(true);
    expect(build.events.find(({ type }) => type === 'stepFinished')).toMatchObject({
      logs: [{ bytes: log.length, sha256: createHash('sha256').update(log).digest('hex') }],
    });
    await expect.poll(() => worker.jobs.all).toEqual([]);
  });

  it('refuses a master whose TLS is right and whose protocol key is another', async () => {
    await using dir = await tempDir();
    const pem = createFarmKey();
    const master = createLinkMaster();
    await using listener = await startPort(pem, master);
    await using worker = await startLinkWorker({
      dir: dir.path,
      pins: [pinOf(pem)],
      dial: (_target, options) => dialMaster(listener.bound[0]!, { ...options, via: [] }),
      port,
    });
    expect(await worker.link.ended).toMatchObject({ code: 'BBX-PRO-WRONG-MASTER', exit: 4 });
  });
});
