import { describe, expect, it } from 'vitest';
import { goodWords, wrongIn, type SoakSample } from '../../../src/drill/soak.ts';

const samples = (of: (index: number) => Partial<SoakSample>): SoakSample[] =>
  Array.from({ length: 100 }, (_, index) => ({
    builds: (index + 1) * 100,
    seconds: index,
    masterBytes: 100e6,
    masterHandles: 60,
    workerBytes: 200e6,
    workerHandles: 80,
    masterDisk: index * 1e6,
    workerDisk: 1e6,
    ...of(index),
  }));

describe('a soak', () => {
  it.each<[string, (index: number) => Partial<SoakSample>, RegExp | undefined]>([
    ['is flat', () => ({}), undefined],
    ['warms up', (index) => ({ masterBytes: 100e6 + Math.min(index, 20) * 4e6 }), undefined],
    ['leaks memory', (index) => ({ masterBytes: 100e6 + index * 1e6 }), /^the master's memory grew/],
    ['leaks files', (index) => ({ workerHandles: 80 + index }), /^the workers' open files grew/],
    ['leaves files behind', (index) => ({ workerDisk: index * 1e6 }), /^the workers' disk grew/],
  ])('that %s', (_, of, sentence) => {
    const wrong = wrongIn(samples(of));
    if (sentence === undefined) expect(wrong).toEqual([]);
    else expect(wrong.join()).toMatch(sentence);
  });

  it('that is too short says nothing', () => {
    const short = samples((index) => ({ builds: index, masterBytes: index * 1e9 }));
    expect(wrongIn(short)).toEqual([]);
    expect(goodWords(short)).toBe('all builds ended well; what grows is told from 1,000 builds on');
    expect(goodWords(samples(() => ({})))).toBe('nothing grew');
  });
});
