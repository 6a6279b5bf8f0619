import { uptime } from 'node:os';
import type { ClockMoves } from '../facts/clock.ts';

/** The three clocks of a host at one moment, seconds. */
export interface ClockMark {
  /** The time that people set, epoch. */
  readonly wall: number;
  /** Since the host started, without the time that it slept (CLOCK_MONOTONIC). */
  readonly awake: number;
  /** Since the host started (CLOCK_BOOTTIME). */
  readonly up: number;
}

/** Reads all three, one right after the other. */
export function markClocks(): ClockMark {
  return { wall: Date.now() / 1_000, awake: Number(process.hrtime.bigint()) / 1e9, up: uptime() };
}

/** What happened between two marks: a clock that is set moves alone, and of sleep the time awake knows nothing. */
export function readClockMoves(began: ClockMark, now: ClockMark = markClocks()): ClockMoves {
  const [wall, awake, up] = [now.wall - began.wall, now.awake - began.awake, now.up - began.up];
  const round = (seconds: number) => Math.round(seconds * 10) / 10;
  return {
    at: new Date(now.wall * 1_000).toISOString(),
    watched: round(up),
    jumped: round(wall - up),
    slept: round(up - awake),
    sleptInAll: round(now.up - now.awake),
  };
}
