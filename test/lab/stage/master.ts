import { systemClock } from '../../../src/base/clock.ts';
import { listen } from '../../../src/net/listen.ts';
import { createFarmKey, selfSignedCertificate } from '../../../src/net/tls/certificate.ts';
import { createWebSocketAcceptor } from '../../../src/net/web-socket.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, readSigningKey } from '../../../src/protocol/bbx/keys.ts';
import { serveMasterSession } from '../../../src/protocol/bbx/master-session.ts';
import type { Listener } from './recipe.ts';

/** The master's end of the protocol as a bbx of another time would have it: one version alone, which this one may not know. */
export async function serveMaster({ host, port }: Listener, version: number): Promise<void> {
  const pem = createFarmKey();
  const key = readSigningKey(pem, 'the key of the lab');
  const acceptor = createWebSocketAcceptor();
  await listen({
    addresses: [{ kind: 'tcp', host, port }],
    tls: { key: pem, cert: selfSignedCertificate(pem) },
    onConnection({ stream, peer, secured }) {
      acceptor.accept(stream, { peer }).then(
        (socket) =>
          void serveMasterSession({
            ...{ socket, peer, key, epoch: 'lab', software: 'bbx lab', clock: systemClock },
            exporter: secured?.exporter(EXPORTER_LABEL, EXPORTER_BYTES) ?? new Uint8Array(0),
            dialects: [{ version, lift: (message) => message, lower: (message) => message }],
            authenticate: async () => ({ let: 'out', reason: 'unknown' }),
            accept: () => {
              throw new Error('nobody is let in here');
            },
          }),
        () => stream.destroy(),
      );
    },
  });
}
