import type { Duplex } from 'node:stream';
import { aborted } from '../../base/abort.ts';
import { dial } from '../../net/dial.ts';
import { printHostPort } from '../../net/endpoint/host.ts';
import { guessSpoken, httpDate } from '../../net/first-bytes.ts';
import type { Connection } from '../../net/hops/connection.ts';
import type { TlsRoute } from '../../net/hops/tls.ts';
import { clockOf } from '../facts/clock.ts';
import type { PeerFact } from '../facts/paths.ts';
import { SILENCE_MS, type PeerDoor } from './peer-door.ts';

/** Servers that speak first do so at once. */
const BANNER_MS = 500;
/** Of an HTTP answer, to find its Date. */
const HEADER_BYTES = 4 * 1024;
const DATE_ROUND_MS = 1_000;
/** Enough to see what a stranger speaks, too little to hold anything worth hiding. */
const FIRST_BYTES = 32;

type FirstBytes = Pick<PeerFact, 'kind' | 'firstBytes' | 'clock'>;

export interface FirstOptions {
  door: PeerDoor;
  signal: AbortSignal;
  tls?: TlsRoute;
  /** How long the peer may take to speak first. */
  patienceMs?: number;
  /** Asked is not for a page but for a WebSocket. */
  upgrade?: boolean;
}

/** Waits for a banner, then asks for a page, and names what comes by its first bytes. */
export async function firstBytes(address: string, port: number, options: FirstOptions): Promise<FirstBytes> {
  const { door, signal, tls } = options;
  let connection: Connection | undefined;
  try {
    connection = await dial(
      {
        to: { kind: 'tcp', host: address, port },
        via: door.via ?? [],
        ...(tls === undefined ? {} : { tls }),
      },
      { signal, timeoutMs: SILENCE_MS, ...(door.env === undefined ? {} : { env: door.env }) },
    );
    const { stream } = connection;
    const { bytes, asked } = await Promise.race([readFirst(stream, address, port, options), aborted(signal)]);
    if (bytes.length === 0) return { kind: 'closed', firstBytes: '' };
    const text = bytes.subarray(0, HEADER_BYTES).toString('latin1');
    const date = httpDate(text);
    return {
      kind: options.upgrade === true && isStockWebSocket(text) ? 'msgpack' : guessSpoken(bytes),
      firstBytes: bytes.subarray(0, FIRST_BYTES).toString('hex'),
      ...(date === null ? {} : { clock: clockOf(asked, Date.now(), date, 'Date', DATE_ROUND_MS) }),
    };
  } catch {
    return { kind: signal.aborted ? 'silent' : 'closed', firstBytes: '' };
  } finally {
    connection?.stream.destroy();
  }
}

/** Resolves with what came first, empty when the peer closed without a word. */
function readFirst(
  stream: Duplex,
  address: string,
  port: number,
  { patienceMs = BANNER_MS, upgrade = false }: FirstOptions,
): Promise<{ bytes: Buffer; asked: number }> {
  return new Promise((resolve) => {
    let asked = Date.now();
    const ask = setTimeout(
      () => {
        asked = Date.now();
        const host = printHostPort(address.split('%')[0] ?? address, port);
        const wish = upgrade ? UPGRADE : ['Connection: close'];
        const lines = ['GET / HTTP/1.1', `Host: ${host}`, 'User-Agent: bbx-doctor', ...wish];
        stream.write(`${lines.join('\r\n')}\r\n\r\n`);
      },
      upgrade ? 0 : patienceMs,
    );
    const done = (bytes: Buffer) => {
      clearTimeout(ask);
      resolve({ bytes, asked });
    };
    stream.once('data', (bytes: Buffer) => done(bytes));
    stream.once('end', () => done(Buffer.alloc(0)));
    stream.once('close', () => done(Buffer.alloc(0)));
  });
}

/** A handshake of RFC 6455, as a stock worker's but without name and password; the key is that of the RFC's own example. */
const UPGRADE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

/** A stock master lets nobody in without a name: its 401 has not one header, which no web server's has (seen with 3.7). */
function isStockWebSocket(answer: string): boolean {
  return (
    answer === 'HTTP/1.1 401 Unauthorized\r\n\r\n' ||
    (/^HTTP\/1\.1 (101|400|401) /.test(answer) && /^server:\s*Autobahn/im.test(answer))
  );
}
