import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { CASES } from './cases/all.ts';
import type { LabCase } from './cases/case.ts';
import { askDoctor } from './score/doctor.ts';
import { casesOf } from './score/mutate.ts';
import { BARS, mark, score, type Said } from './score/score.ts';
import { whyNoStage } from './stage/stage.ts';
import { stagehands, wantOf, type LabHands } from './stage/stagehands.ts';

/** A short series of `npm run lab`, of every kind of fault; the rest takes minutes. */
const SERIES = [
  'F00',
  'F02',
  'F13',
  'F31',
  'F36',
  'F41',
  'F52',
  'F56',
  'F77c',
  'X06',
  'X41',
  'P04',
  'C-v6-host',
];
const series = CASES.filter(({ id }) => SERIES.includes(id));

describe.skipIf(skipAloud('the fault lab', whyNoStage()))('the fault lab', () => {
  let hands: LabHands;
  beforeAll(async () => {
    hands = await stagehands(series);
  });
  afterAll(() => hands[Symbol.asyncDispose]());

  it('has every case of the series', () =>
    expect(series.map(({ id }) => id).toSorted()).toEqual(SERIES.toSorted()));

  it.concurrent.each(series)('$id: $title', async (one) => {
    const want = wantOf(one);
    if (skipAloud(`${one.id} of the fault lab`, want.length === 0 ? undefined : `missing ${want.join(', ')}`))
      return;
    const marked = mark(one, await askDoctor(one, hands));
    expect({
      found: marked.found,
      first: marked.first,
      noise: marked.noise,
      right: marked.verdictRight,
    }).toEqual({
      found: one.root.length > 0,
      first: one.root.length > 0,
      noise: [],
      right: true,
    });
  });
});

describe('what --mutate asks again', () => {
  const one = (id: string, root: string[], more: Partial<LabCase> = {}): LabCase => ({
    ...{ id, title: id, recipe: {}, doctor: [], root },
    ...more,
  });
  const words = (ms: number, grave: string[], facts: string[] = []): Said => ({ grave, facts, ms });

  it('is every case whose root the check named, first those with no other root, then the quick ones', () => {
    const cases = [
      one('A', ['PTH-01', 'PTH-04']),
      one('B', ['PTH-01']),
      one('C', ['PTH-01']),
      one('D', ['PTH-04']),
      one('E', ['PTH-01'], { fact: true }),
      one('F', ['PTH-01']),
      one('G', ['PTH-01']),
    ];
    const said = {
      A: words(1, ['PTH-01']),
      B: words(9, ['PTH-01']),
      C: words(5, ['DNS-01', 'PTH-01']),
      D: words(1, ['PTH-01']),
      E: words(7, [], ['PTH-01']),
      // A fault that is told as a fact alone was not found.
      F: words(1, [], ['PTH-01']),
    };
    expect(casesOf('PTH-01', cases, said).map(({ id }) => id)).toEqual(['C', 'E', 'B', 'A']);
  });
});

describe('the score', () => {
  const said = (grave: string[], more: Partial<Said> = {}): Said => ({ grave, facts: [], ms: 10, ...more });
  const fault = { id: 'F', title: 'a fault', recipe: {}, doctor: [], root: ['PTH-01'], also: ['PTH-03'] };
  const control = { ...fault, id: 'C', root: [], also: [] };

  it('counts a root that stands behind another as found, and not as first', () => {
    const marks = [mark(fault, said(['DNS-01', 'PTH-01']))];
    expect(score(marks)).toMatchObject({ recall: 1, first: 0, precision: 0.5, met: false });
  });

  it('takes effects that are allowed for right, and a missing root for missed', () => {
    expect(score([mark(fault, said(['PTH-03']))])).toMatchObject({ recall: 0, precision: 1, met: false });
  });

  it('wants silence of controls, also from a doctor that did not answer', () => {
    const quiet = [mark(fault, said(['PTH-01']))];
    expect(score([...quiet, mark(control, said([]))]).met).toBe(true);
    expect(score([...quiet, mark(control, said(['PTH-01']))]).loudControls).toEqual(['C']);
    expect(score([...quiet, mark(control, said([], { failed: 'exit 70' }))]).loudControls).toEqual(['C']);
  });

  it('wants each case within its time', () => {
    expect(score([mark(fault, said(['PTH-01'], { ms: BARS.limitMs + 1 }))])).toMatchObject({
      slow: ['F'],
      met: false,
    });
  });
});
