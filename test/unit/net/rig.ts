import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect } from 'vitest';
import { BbxError } from '../../../src/base/error.ts';
import type { FamilyAnswer, Resolver } from '../../../src/net/resolve.ts';
import { createFarmKey, selfSignedCertificate } from '../../../src/net/tls/certificate.ts';
import { pinOf } from '../../../src/net/tls/pin.ts';

/** A farm's key, certificate for its names, and pin. */
export function makeIdentity(names: readonly string[] = ['localhost', '127.0.0.1', '::1']) {
  const key = createFarmKey();
  const cert = selfSignedCertificate(key, { names });
  return { key, cert, pin: pinOf(key) };
}

/** A resolver by table: what each family answers, and after how long. Families that are not there have no address. */
export function tableResolver(table: {
  4?: string[];
  6?: string[];
  lateMs?: { 4?: number; 6?: number };
}): Resolver {
  return {
    async resolve(name, family, options) {
      const lateMs = table.lateMs?.[family] ?? 0;
      if (lateMs > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, lateMs);
          options?.signal?.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
      const addresses = table[family] ?? [];
      const answer: FamilyAnswer = { name, family, addresses, ms: lateMs, source: 'table' };
      return addresses.length > 0 ? answer : { ...answer, errno: 'ENOTFOUND' };
    },
  };
}

/** The BbxError that a promise ends with. */
export async function failureOf(promise: Promise<unknown>): Promise<BbxError> {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(BbxError);
  return error as BbxError;
}

/** Reads exactly so many bytes; fails when the stream ends before. */
export async function readBytes(stream: Duplex, count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  while (size < count) {
    const chunk = stream.read() as Buffer | null;
    if (chunk === null) {
      if (stream.readableEnded || stream.destroyed) throw new Error(`ended after ${size} of ${count} bytes`);
      const waited = new AbortController();
      const events = ['readable', 'close'].map((name) => once(stream, name, { signal: waited.signal }));
      await Promise.race(events);
      waited.abort();
      await Promise.allSettled(events);
      continue;
    }
    chunks.push(chunk);
    size += chunk.length;
  }
  const all = Buffer.concat(chunks);
  if (size > count) stream.unshift(all.subarray(count));
  return all.subarray(0, count);
}
