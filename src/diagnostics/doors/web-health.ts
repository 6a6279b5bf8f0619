import type { Duplex } from 'node:stream';
import { aborted } from '../../base/abort.ts';
import { sentences } from '../../base/error.ts';
import { dial } from '../../net/dial.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import type { HealthFact } from '../facts/own.ts';

const LIMIT_MS = 3_000;
/** A head and the few bytes of the answer. */
const ANSWER_BYTES = 8 * 1024;
/** What a master's web port says (docs/api.md). */
const HEALTHY = '{"status":"ok"}';
const SAID = 120;

/** Asks one address of a web port for `/health`, in plain HTTP, as a load balancer does. Rejects only with the signal's reason. */
export async function readHealth(address: string, port: number, signal: AbortSignal): Promise<HealthFact> {
  const started = performance.now();
  const done = (part: Pick<HealthFact, 'status' | 'exact' | 'said'>): HealthFact => ({
    address,
    family: familyOf(address) === 6 ? 6 : 4,
    ms: Math.round(performance.now() - started),
    ...part,
  });
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  let stream: Duplex | undefined;
  try {
    ({ stream } = await dial(
      { to: { kind: 'tcp', host: address, port }, via: [] },
      { signal: limit, timeoutMs: LIMIT_MS },
    ));
    stream.write(
      `GET /health HTTP/1.1\r\nHost: ${printHostPort(address, port)}\r\nConnection: close\r\nUser-Agent: bbx-doctor\r\n\r\n`,
    );
    const text = await Promise.race([readAll(stream), aborted(limit)]);
    const [head = '', ...rest] = text.split('\r\n\r\n');
    const status = /^HTTP\/\d(?:\.\d)? (\d{3})\b/.exec(head)?.[1];
    return done({
      status: status === undefined ? null : Number(status),
      exact: status === '200' && rest.join('\r\n\r\n') === HEALTHY,
      said: text === '' ? 'closed without a word' : text.slice(0, SAID),
    });
  } catch (error) {
    signal.throwIfAborted();
    const said = limit.aborted ? `no answer for ${LIMIT_MS / 1_000} s` : (sentences(error)[0] ?? 'failed');
    return done({ status: null, exact: false, said });
  } finally {
    stream?.destroy();
  }
}

/** All that comes until the peer closes, or more than an answer has. */
async function readAll(stream: Duplex): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > ANSWER_BYTES) break;
  }
  return Buffer.concat(parts).toString('latin1');
}
