import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/api/doctor.ts';
import type { Examined } from '../../../src/diagnostics/examine.ts';
import { createWatch } from '../../../src/diagnostics/watch.ts';
import { catalogue } from '../../../src/diagnostics/catalogue.ts';

const IDS = catalogue.map(({ id }) => id);
const finding = (id: string, status: Finding['status'] = 'error', target = 'ci.example:9989') =>
  ({ id, status, target, title: `${id} is wrong` }) as Finding;
const round = (...findings: Finding[]) => ({ report: { findings } }) as unknown as Examined;
const told = (transitions: { type: string; finding: Finding }[]) =>
  transitions.map(({ type, finding: { id, status } }) => `${type} ${id} ${status}`);

/** Rounds one after another, all checks asked, with what each told. */
function play(rounds: Examined[], everyMs = 3_000): string[][] {
  const watch = createWatch(IDS);
  return rounds.map((one, index) => told(watch.take(one, undefined, index * everyMs)));
}

describe('a watch', () => {
  it('takes the first round as it is, and tells nothing while nothing changes', () => {
    expect(play([round(finding('PTH-04')), round(finding('PTH-04')), round(finding('PTH-04'))])).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('tells what appears and clears after two rounds', () => {
    const [on, off] = [round(finding('PTH-04')), round()];
    expect(play([off, on, on, on, off, off, off])).toEqual([
      ...[[], [], ['appeared PTH-04 error'], [], []],
      ...[['cleared PTH-04 error'], []],
    ]);
  });

  it('tells it after two rounds, however far apart they are', () => {
    const [on, off] = [round(finding('PTH-04')), round()];
    expect(play([off, on, on], 1_000)).toEqual([[], [], ['appeared PTH-04 error']]);
    const slow = createWatch(IDS);
    slow.take(off, undefined, 0);
    slow.take(on, undefined, 20_000);
    expect(told(slow.take(on, undefined, 40_000))).toEqual(['appeared PTH-04 error']);
  });

  it('does not tell what flaps', () => {
    const [on, off] = [round(finding('PTH-04')), round()];
    expect(play([off, on, off, on, off, on, off]).flat()).toEqual([]);
    expect(play([on, off, on, off, on]).flat()).toEqual([]);
  });

  it('tells a change of gravity, and leaves facts out', () => {
    const rounds = [
      round(finding('PTH-02', 'warn')),
      round(finding('PTH-02')),
      round(finding('PTH-02'), finding('HST-08', 'info')),
    ];
    expect(play(rounds).flat()).toEqual(['changed PTH-02 error']);
  });

  it('asks again what is in trouble with all that could explain it, and the rest by turns', () => {
    const watch = createWatch(IDS);
    expect(watch.due()).toBeUndefined();
    watch.take(round(finding('PTH-01')), undefined, 0);
    const turns = Array.from({ length: Math.ceil(IDS.length / 12) }, () => watch.due() ?? []);
    const { needs, causes = [] } = catalogue.find(({ id }) => id === 'PTH-01')!;
    for (const due of turns) expect(due).toEqual(expect.arrayContaining(['PTH-01', ...needs, ...causes]));
    expect(new Set(turns.flat())).toEqual(new Set(IDS));
    expect(turns[0]!.length).toBeLessThan(IDS.length);
  });

  it('leaves as it is what a round has not asked', () => {
    const watch = createWatch(IDS);
    watch.take(round(finding('PTH-04')), undefined, 0);
    expect(told(watch.take(round(), ['HST-01'], 3_000))).toEqual([]);
    expect(told(watch.take(round(), ['HST-01'], 6_000))).toEqual([]);
    expect(watch.state().map(({ id }) => id)).toEqual(['PTH-04']);
    watch.take(round(), ['PTH-04'], 9_000);
    expect(told(watch.take(round(), ['PTH-04'], 12_000))).toEqual(['cleared PTH-04 error']);
    expect(watch.state()).toEqual([]);
  });
});
