import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_HEADER_BYTES, decodeLogFrame, encodeLogFrame } from '../../../../src/protocol/bbx/codec.ts';
import { LIMITS } from '../../../../src/protocol/bbx/limits.ts';

const frame = fc.record({
  stream: fc.integer({ min: 0, max: 0xffff_ffff }),
  channel: fc.constantFrom('stdout' as const, 'stderr' as const, 'header' as const),
  offset: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - LIMITS.frameBytes }),
  at: fc.double({ min: 0, max: 1e11, noNaN: true }).map((at) => at + 0),
  payload: fc.uint8Array({ minLength: 1, maxLength: 300 }),
});

describe('a log frame', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(frame, (given) => {
        const back = decodeLogFrame(encodeLogFrame(given));
        expect(back).toMatchObject({ ...given, payload: expect.anything() as unknown });
        expect(typeof back === 'string' ? '' : Buffer.from(back.payload)).toEqual(Buffer.from(given.payload));
      }),
    );
  });

  it('has its numbers where the document says', () => {
    const bytes = encodeLogFrame({
      stream: 0x01020304,
      channel: 'stderr',
      offset: 0x0506,
      at: 1.5,
      payload: Buffer.from('ab'),
    });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '01' + '01' + '01020304' + '0000000000000506' + '3ff8000000000000' + '6162',
    );
  });

  const good = () =>
    Buffer.from(
      encodeLogFrame({ stream: 1, channel: 'stdout', offset: 0, at: 1, payload: Buffer.from('x') }),
    );
  it.each([
    ['no bytes at all', () => Buffer.alloc(0), 'a frame of 0 bytes'],
    ['half a header', () => good().subarray(0, 10), 'a frame of 10 bytes'],
    ['no payload', () => good().subarray(0, FRAME_HEADER_BYTES), 'without payload'],
    [
      'a payload that is too long',
      () => Buffer.concat([good(), Buffer.alloc(LIMITS.frameBytes)]),
      'bytes of payload',
    ],
    ['another kind', () => Buffer.from(good().fill(9, 0, 1)), 'unknown kind 9'],
    ['another channel', () => Buffer.from(good().fill(7, 1, 2)), 'unknown channel 7'],
    ['an offset beyond 2^53', () => Buffer.from(good().fill(0xff, 6, 14)), 'beyond 2^53'],
    ['a time that is no number', () => Buffer.from(good().fill(0xff, 14, 22)), 'without a time'],
  ])('with %s is told in words', (_, make, words) => {
    expect(decodeLogFrame(make())).toContain(words);
  });

  it('of random bytes never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const back = decodeLogFrame(bytes);
        expect(typeof back === 'string' || back.payload.length > 0).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
