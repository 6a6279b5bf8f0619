import { within } from '../../base/abort.ts';
import type { SeriesFact } from './dial-facts.ts';
import type { ProbeAsker } from './probe-asker.ts';

/** One byte; one packet; more than any packet; a frame of a log. */
export const SIZES = [1, 1_300, 4_096, 65_536] as const;
/** A size that does not arrive for so long has stalled: TCP has sent it again several times by then. */
export const STALL_MS = 3_000;
/** The largest one may be slow without being lost: about 70 kbit/s. */
const SLOW_MS = 10_000;
/** The short form of an idle hold: long enough that both directions begin anew, short enough for every run. */
const REST_MS = 250;

export interface SeriesOptions {
  signal: AbortSignal;
  stallMs?: number;
}

/**
 * Sends probes of growing size up, then down, and stops at the first that stalls: which way it was says which direction loses large
 * packets. Then what the master saw of the connection, and a short rest. Rejects when the connection ends or by the signal.
 */
export async function runSeries(
  ask: ProbeAsker,
  { signal, stallMs = STALL_MS }: SeriesOptions,
): Promise<SeriesFact> {
  const sizes: SeriesFact['sizes'] = [];
  const seen = (await within(ask.witness(), stallMs, signal)) ?? null;
  for (const bytes of SIZES) {
    const limit = bytes > 4_096 ? Math.max(stallMs, SLOW_MS) : stallMs;
    const row = { bytes, upMs: null as number | null, downMs: null as number | null };
    sizes.push(row);
    for (const way of ['up', 'down'] as const) {
      const ms = await within(way === 'up' ? ask.push(bytes) : ask.pull(bytes), limit, signal);
      if (ms === undefined) return { sizes, stalled: { bytes, way, afterMs: limit }, seen, rested: null };
      row[`${way}Ms`] = rounded(ms);
    }
  }
  const rested = { restMs: REST_MS, downMs: null as number | null, upMs: null as number | null };
  const started = performance.now();
  const spoke = await within(
    ask.hold(REST_MS / 1_000, 'master').then(() => performance.now() - started - REST_MS),
    REST_MS + stallMs,
    signal,
  );
  rested.downMs = spoke === undefined ? null : rounded(Math.max(0, spoke));
  const answered = await within(ask.push(1), stallMs, signal);
  rested.upMs = answered === undefined ? null : rounded(answered);
  return { sizes, stalled: null, seen, rested };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
