import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Channel } from '../../../src/build/command-port.ts';
import { limitLog } from '../../../src/build/log-limit.ts';

type Piece = readonly [Channel, string];

/** What a log has of these pieces: all of it as text, the command's own bytes, and how many were cut. */
async function logged(pieces: readonly Piece[], max: { bytes: number; tailBytes: number } | null) {
  const written: { channel: Channel; text: string }[] = [];
  const log = limitLog(
    {
      write: (channel, bytes) => void written.push({ channel, text: Buffer.from(bytes).toString('latin1') }),
    },
    max,
  );
  for (const [channel, text] of pieces) await log.write(channel, Buffer.from(text, 'latin1'));
  await log.end();
  const of = (one: Channel) =>
    written
      .filter(({ channel }) => channel === one)
      .map(({ text }) => text)
      .join('');
  return {
    ...{ written, cut: log.cut, all: written.map(({ text }) => text).join('') },
    ...{ stdout: of('stdout'), stderr: of('stderr'), header: of('header') },
  };
}
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `line ${String(from + n).padStart(4, '0')}\n`).join('');

describe('a log with a limit', () => {
  it.each<[string, { bytes: number; tailBytes: number } | null]>([
    ['no limit', null],
    ['just so much', { bytes: 1_000, tailBytes: 0 }],
    ['less, but with as much of an end', { bytes: 500, tailBytes: 500 }],
  ])('is whole and says nothing with %s', async (_, max) => {
    const log = await logged([['stdout', lines(0, 100)]], max);
    expect(log).toMatchObject({ all: lines(0, 100), cut: 0 });
  });

  it('is cut at the end of a line, says it there, and how much was left out', async () => {
    const log = await logged([['stdout', lines(0, 100)]], { bytes: 105, tailBytes: 0 });
    expect(log.all).toBe(
      `${lines(0, 10)}bbx: the log is cut here by its limit of 105 bytes: what the command says now is left out\n` +
        'bbx: cut by limit: 900 bytes are left out here\n',
    );
    expect(log.cut).toBe(900);
  });

  it('keeps the end, from the beginning of a line', async () => {
    const pieces = Array.from({ length: 100 }, (_, n): Piece => ['stdout', lines(n, n + 1)]);
    const log = await logged(pieces, { bytes: 105, tailBytes: 205 });
    expect(log.all).toBe(
      `${lines(0, 10)}bbx: the log is cut here by its limit of 105 bytes: what the command says now is left out, but for the last 205 bytes\n` +
        `bbx: cut by limit: 700 bytes are left out here\n${lines(80, 100)}`,
    );
    expect(log.cut).toBe(700);
  });

  it.each([15, 45, 75])(
    'keeps the end also where that is as small as a line or a few: %i bytes',
    async (tailBytes) => {
      const pieces = Array.from({ length: 100 }, (_, n): Piece => ['stdout', lines(n, n + 1)]);
      const log = await logged(pieces, { bytes: 105, tailBytes });
      expect(log.stdout).toBe(lines(0, 10) + lines(100 - Math.floor(tailBytes / 10), 100));
      expect(log.cut).toBe(905 - tailBytes);
    },
  );

  it.each<[string, string[]]>([
    ['in one piece', [lines(0, 100)]],
    ['line by line', Array.from({ length: 100 }, (_, n) => lines(n, n + 1))],
    ['in two pieces', [lines(0, 90), lines(90, 100)]],
    ['in odd pieces', lines(0, 100).match(/[^]{1,37}/g) ?? []],
  ])('keeps a line whole with which the end begins exactly, of an output that comes %s', async (_, texts) => {
    const pieces = texts.map((text): Piece => ['stdout', text]);
    for (const tailBytes of [10, 80, 200]) {
      const log = await logged(pieces, { bytes: 105, tailBytes });
      expect(log.stdout).toBe(lines(0, 10) + lines(100 - tailBytes / 10, 100));
    }
  });

  it('begins what it says of itself on a line of its own, and keeps our words after the cut', async () => {
    const log = await logged(
      [
        ['stdout', 'x'.repeat(50)],
        ['header', 'bbx: something of ours\n'],
        ['stderr', 'y'.repeat(50)],
      ],
      { bytes: 20, tailBytes: 0 },
    );
    expect(log.stdout).toBe('x'.repeat(20));
    expect(log.header).toMatch(
      /^\nbbx: the log is cut.*\nbbx: something of ours\nbbx: cut by limit: 80 bytes/,
    );
  });

  it('has its beginning, its end and the number between, whatever comes', async () => {
    const piece = fc.tuple(fc.constantFrom<Channel>('stdout', 'stderr'), fc.string({ maxLength: 300 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 60 }),
        fc.integer({ min: 1, max: 2_000 }),
        fc.integer({ min: 0, max: 2_000 }),
        async (given, bytes, tailBytes) => {
          const pieces = given.map(([channel, text]): Piece => [
            channel,
            Buffer.from(text).toString('latin1'),
          ]);
          const log = await logged(pieces, { bytes, tailBytes });
          const said = (channel: Channel) =>
            pieces.flatMap(([one, text]) => (one === channel ? [text] : [])).join('');
          const total = said('stdout').length + said('stderr').length;
          const kept = log.stdout.length + log.stderr.length;
          expect(kept + log.cut).toBe(total);
          expect(kept).toBeLessThanOrEqual(bytes + tailBytes);
          if (total <= bytes) expect(log.header).toBe('');
          expect(log.cut > 0).toBe(log.header !== '');
          const at = log.written.findLastIndex(({ channel }) => channel === 'header');
          for (const channel of ['stdout', 'stderr'] as const) {
            const text = (part: typeof log.written) =>
              part.flatMap((one) => (one.channel === channel ? [one.text] : [])).join('');
            expect(said(channel).startsWith(text(log.written.slice(0, at + 1)))).toBe(true);
            expect(said(channel).endsWith(text(log.written.slice(at + 1)))).toBe(true);
          }
        },
      ),
    );
  });
});
