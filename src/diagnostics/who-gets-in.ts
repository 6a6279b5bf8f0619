import type { Verdict } from '../api/doctor.ts';
import { CLIENTS, CLIENT_NAMES } from './simulate.ts';

/** Slower than this is said; people notice it. */
const SLOW_MS = 1_000;

/** What it means when a rung of the ladder (docs/doctor.md) fails. */
const RUNGS: readonly (readonly [rung: string, meaning: string])[] = [
  ['R0', 'its name is not found'],
  ['R1', 'there is no route'],
  ['R2', 'no connection comes up'],
  ['R3', 'no TLS'],
  ['R4', 'what answers there is not the master'],
  ['R6', 'the master does not let this worker in'],
  ['R7', 'larger messages do not get through'],
  ['R9', 'the master did not see us'],
];

/** A target's lines: the verdict, and only where one gets through, the programs by their way. */
export interface WayIn {
  readonly head: string;
  /** `over IPv6` → `bbx, Node`. */
  readonly ways: readonly (readonly [how: string, programs: string])[];
}

/** Who would connect to each target that was tried: a statement on TCP, so it is made only where what comes after TCP does not fail. Pure. */
export function whoGetsIn(verdicts: readonly Verdict[]): WayIn[] {
  return verdicts.filter(({ clients }) => Object.keys(clients).length > 0).map(wayInto);
}

function wayInto({ to, verdict, rungs, clients }: Verdict): WayIn {
  if (verdict === 'unknown') {
    const isUnasked = rungs['R2'] === 'ok' && rungs['R4'] === 'not-tested';
    return { head: `${to}: ${isUnasked ? 'connects; who answers was not asked' : 'not known'}`, ways: [] };
  }
  if (verdict === 'wrong-peer') return { head: `${to}: wrong-peer, another program answers`, ways: [] };
  if (verdict === 'unreachable') {
    const why = RUNGS.find(([rung]) => rungs[rung] === 'fail')?.[1];
    return { head: `${to}: unreachable${why === undefined ? '' : `, ${why}`}`, ways: [] };
  }
  const ways = new Map<string, string[]>();
  for (const kind of CLIENTS) {
    const how = printWay(clients[kind] ?? 'unknown');
    ways.set(how, [...(ways.get(how) ?? []), CLIENT_NAMES[kind]]);
  }
  // The master has heard of this worker, so all the rest of the way is whole.
  const waits = rungs['R6'] === 'fail' ? ', the worker waits for approval' : '';
  return {
    head: `${to}: ${verdict}${waits}`,
    ways: [...ways].map(([how, programs]) => [how, programs.join(', ')]),
  };
}

function printWay(fate: string): string {
  const [, ms, family] = /^ok (\d+)ms via (\d)$/.exec(fate) ?? [];
  if (family === undefined) return fate.startsWith('fail') ? 'not' : 'not known';
  const slow = Number(ms) > SLOW_MS ? ` after ${Math.round(Number(ms) / 1_000)} s` : '';
  return `over IPv${family}${slow}`;
}
