import { randomBytes } from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import type { ListenAddress } from '../../net/endpoint/listen-address.ts';
import { listen } from '../../net/listen.ts';
import { createFarmKey, selfSignedCertificate } from '../../net/tls/certificate.ts';
import { createWebSocketAcceptor } from '../../net/web-socket.ts';
import { EXPORTER_BYTES, EXPORTER_LABEL, readSigningKey } from '../../protocol/bbx/keys.ts';
import { LIMITS } from '../../protocol/bbx/limits.ts';
import { serveMasterSession } from '../../protocol/bbx/master-session.ts';
import { PROBES } from '../../protocol/bbx/probe-desk.ts';

/** What the token of a listener begins with; the rest is the fingerprint of a key that lives as long as the listener. */
const TOKEN = 'probe1.';
/** Connections at one time: a person tries one host. */
const CONNECTIONS = 64;

/** What a listener for probes has seen. `greeted` comes with the nonce of `hello`, `ended` with the bytes of all messages. */
export type ProbeEvent =
  | { type: 'accepted'; peer: string; local: string }
  | { type: 'greeted'; peer: string; nonce: string }
  | { type: 'ended'; peer: string; bytes: number };

export interface ProbeListener extends AsyncDisposable {
  /** For `bbx doctor reach HOST:PORT --token`. */
  readonly token: string;
  readonly bound: readonly string[];
  readonly notes: readonly string[];
}

/** The key that a token wants at the other end (`sha256:…`); undefined for a text that is no token. */
export function pinOfToken(token: string): string | undefined {
  const [, hash] = /^probe1\.([A-Za-z0-9_-]{43})$/.exec(token.trim()) ?? [];
  return hash === undefined ? undefined : `sha256:${hash}`;
}

/**
 * Listens where a master is to listen, and greets and answers probes as a master would, but lets nobody in. Its key is new each time, so
 * whoever finds it by the token has found this very listener. Throws what `listen` throws.
 */
export async function openProbeListener(options: {
  addresses: readonly ListenAddress[];
  software: string;
  onEvent(event: ProbeEvent): void;
}): Promise<ProbeListener> {
  const { addresses, software, onEvent } = options;
  const pem = createFarmKey();
  const key = readSigningKey(pem, 'the probe key');
  const epoch = randomBytes(8).toString('hex');
  const stop = new AbortController();
  const acceptor = createWebSocketAcceptor();
  let open = 0;
  let holds = 0;
  const listener = await listen({
    addresses,
    tls: { key: pem, cert: selfSignedCertificate(pem) },
    onAccept: ({ peer, local }) => onEvent({ type: 'accepted', peer, local }),
    onConnection({ stream, peer, secured }) {
      if (open >= CONNECTIONS) {
        stream.destroy();
        return;
      }
      open += 1;
      stream.once('close', () => (open -= 1));
      acceptor.accept(stream, { peer, signal: stop.signal }).then(
        (socket) => {
          const session = serveMasterSession({
            ...{ socket, peer, key, epoch, software, clock: systemClock, capabilities: [PROBES] },
            exporter: secured?.exporter(EXPORTER_LABEL, EXPORTER_BYTES) ?? new Uint8Array(0),
            authenticate: async () => ({ let: 'out', reason: 'unknown' }),
            accept: () => {
              throw new Error('nobody is let in here');
            },
            onHello: (nonce) =>
              onEvent({ type: 'greeted', peer, nonce: Buffer.from(nonce).toString('base64') }),
            onRejected: () => onEvent({ type: 'ended', peer, bytes: session.traffic.received }),
            mayHold() {
              if (holds >= LIMITS.holds) return undefined;
              holds += 1;
              return () => void (holds -= 1);
            },
          });
        },
        () => stream.destroy(),
      );
    },
  });
  return {
    token: TOKEN + key.fingerprint.replace(/^sha256:/, ''),
    bound: listener.bound,
    notes: listener.notes,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the listener ends'));
      await listener.close(0);
    },
  };
}
