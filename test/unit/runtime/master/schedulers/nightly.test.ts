import { describe, expect, it } from 'vitest';
import { decideNightly, nextTime } from '../../../../../src/runtime/master/schedulers/nightly.ts';

const rule = { cron: '0 3 * * *', timezone: 'UTC', onlyIfChanged: false };
const at = (text: string) => Date.parse(text) / 1_000;
const memory = (text: string, cron = rule.cron) => ({ cron, lastAt: at(text) });

describe('decideNightly', () => {
  it('waits for the next time when it is first seen', () => {
    expect(decideNightly(rule, undefined, 0, at('2026-01-01T12:00:00Z'))).toEqual({
      act: 'wait',
      at: at('2026-01-02T03:00:00Z'),
    });
  });

  it('builds when its time has come', () => {
    const now = at('2026-01-02T03:00:00Z');
    expect(decideNightly(rule, memory('2026-01-01T12:00:00Z'), 0, now)).toEqual({ act: 'build', at: now });
  });

  it('builds once for all the times that passed while the master was down', () => {
    const now = at('2026-01-09T08:00:00Z');
    const first = decideNightly(rule, memory('2026-01-02T03:00:00Z'), 0, now);
    expect(first).toEqual({ act: 'build', at: now });
    expect(decideNightly(rule, { cron: rule.cron, lastAt: now }, 0, now + 1)).toEqual({
      act: 'wait',
      at: at('2026-01-10T03:00:00Z'),
    });
  });

  it('does not run twice when the clock is set back', () => {
    expect(decideNightly(rule, memory('2026-01-02T03:00:00Z'), 0, at('2026-01-02T02:59:00Z'))).toEqual({
      act: 'wait',
      at: at('2026-01-03T03:00:00Z'),
    });
  });

  it('counts afresh when its memory is of a time that a wrong clock had', () => {
    const now = at('2026-01-02T02:00:00Z');
    expect(decideNightly(rule, memory('2030-01-01T03:00:00Z'), 0, now)).toEqual({
      act: 'wait',
      at: at('2026-01-02T03:00:00Z'),
    });
  });

  it.each([3_600, -3_600])('runs once in a night in which the clock jumps by %s s and back', (by) => {
    let remembered = memory('2026-01-01T03:00:00Z');
    const fired: number[] = [];
    // A look each minute from 2:00 to 5:00 of real time; from 2:30 to 3:30 the clock is off.
    for (let minute = 0; minute <= 180; minute += 1) {
      const real = at('2026-01-02T02:00:00Z') + minute * 60;
      const now = real + (minute >= 30 && minute < 90 ? by : 0);
      const decision = decideNightly(rule, remembered, 1, now);
      if (decision.act === 'wait') continue;
      fired.push(minute);
      remembered = { ...remembered, lastAt: decision.at };
    }
    expect(fired).toHaveLength(1);
  });

  it('counts afresh when its pattern was changed', () => {
    const now = at('2026-01-09T08:00:00Z');
    expect(decideNightly(rule, memory('2026-01-01T00:00:00Z', '0 1 * * *'), 0, now)).toMatchObject({
      act: 'wait',
    });
  });

  it.each([
    [0, 'skip'],
    [1, 'build'],
  ])('with onlyIfChanged and %i changes decides to %s', (changes, act) => {
    const decision = decideNightly(
      { ...rule, onlyIfChanged: true },
      memory('2026-01-01T12:00:00Z'),
      changes,
      at('2026-01-02T03:00:01Z'),
    );
    expect(decision.act).toBe(act);
  });

  it('says so when a pattern has no time any more', () => {
    expect(nextTime({ cron: '0 0 30 2 *', timezone: 'UTC' }, at('2026-01-01T00:00:00Z'))).toBeNull();
  });
});
