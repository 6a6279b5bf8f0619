import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseReader } from '../../../src/client/sse.ts';

const text =
  ': here\n\nid: 1\ndata: {"a":1}\n\nid:2\r\ndata: first\r\ndata: second\r\nretry: 5\r\n\r\ndata\n\n';
const events = [
  { id: '1', data: '{"a":1}' },
  { id: '2', data: 'first\nsecond' },
  { id: '2', data: '' },
];

describe('server-sent events', () => {
  it('leaves comments and unknown fields out and keeps the last id', () => {
    expect(createSseReader().push(text)).toEqual(events);
  });

  it('comes to the same wherever the text is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 8 }), (cuts) => {
        const reader = createSseReader();
        const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
        const found = edges.slice(1).flatMap((end, index) => reader.push(text.slice(edges[index], end)));
        expect(found).toEqual(events);
      }),
    );
  });

  it('refuses a line that does not end', () => {
    const reader = createSseReader();
    const piece = 'x'.repeat(600_000);
    expect(() => {
      reader.push(piece);
      reader.push(piece);
    }).toThrow(RangeError);
  });

  it('refuses an event that does not end', () => {
    const reader = createSseReader();
    const line = `data: ${'x'.repeat(600_000)}\n`;
    expect(() => reader.push(line + line)).toThrow(RangeError);
  });
});
