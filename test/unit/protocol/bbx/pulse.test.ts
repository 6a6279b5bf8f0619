import { describe, expect, it } from 'vitest';
import { createPulse } from '../../../../src/protocol/bbx/pulse.ts';

describe('the pulse of a link', () => {
  it('measures each ping by its own answer', () => {
    const pulse = createPulse();
    pulse.pinged(0, 0);
    pulse.pinged(100, 50);
    expect(pulse.ponged(130)).toBe(130);
    expect(pulse.ponged(140)).toBe(40);
    pulse.pinged(200, 140);
    expect(pulse.ponged(210)).toBe(10);
    expect(pulse.take()).toEqual({ pings: 3, missed: 0, minMs: 10, medianMs: 40, maxMs: 130 });
  });

  it('counts a ping as missed when not a byte came before the next', () => {
    const pulse = createPulse();
    pulse.pinged(1_000, 900);
    pulse.pinged(2_000, 900);
    pulse.pinged(3_000, 900);
    expect(pulse.take()).toEqual({ pings: 3, missed: 2, minMs: null, medianMs: null, maxMs: null });
  });

  it('forgets a reading that was taken, and answers that nobody asked for', () => {
    const pulse = createPulse();
    pulse.pinged(0, 0);
    pulse.forget();
    expect(pulse.ponged(5_000)).toBeUndefined();
    expect(pulse.take().pings).toBe(1);
    expect(pulse.take()).toEqual({ pings: 0, missed: 0, minMs: null, medianMs: null, maxMs: null });
  });

  it('keeps no more than an hour of what nobody takes', () => {
    const pulse = createPulse();
    for (let at = 0; at < 100_000; at += 1) {
      pulse.pinged(at, at);
      pulse.ponged(at + 0.5);
    }
    expect(pulse.take()).toMatchObject({ pings: 100_000, medianMs: 0.5 });
  });
});
