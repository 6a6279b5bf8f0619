import * as z from 'zod';
import { askTool, type Asked } from '../../exec/ask.ts';
import { familyOf } from '../../net/endpoint/host.ts';
import type { PingFact, TraceFact } from '../facts/trouble.ts';

/** An answer comes within one round trip, or not at all. */
const PING_S = 1;
const PING_MS = 3_000;
/** Longer ways are rare, and each hop costs a packet. */
const MOST_HOPS = 20;
/** So many silent hops in a row, and nothing behind them is asked. */
const SILENT_HOPS = 3;
const GRACE_S = 1;
const TRACE_MS = 6_000;
/** Of a tool's complaint. */
const SAID = 200;

/** Asks a tool; stands in for the system's in tests. */
export type Ask = (program: string, args: readonly string[], timeoutMs: number) => Promise<Asked>;

/** The system's tools, for as long as `signal` lets them. */
export function toolsOf(signal: AbortSignal): Ask {
  return (program, args, timeoutMs) => askTool(program, args, { timeoutMs, signal });
}

/** One echo request (RFC 792, RFC 4443), by the system's `ping`; undefined where there is none. */
export async function ping(address: string, ask: Ask): Promise<PingFact | undefined> {
  const words = ['-n', '-c', '1', '-W', String(PING_S), address];
  const { exit, stdout, complaint, missing } = await ask('ping', words, PING_MS);
  if (missing) return undefined;
  const base = { address, family: familyOf(address) === 6 ? (6 as const) : (4 as const) };
  const [, ms] = /\btime[=<]([\d.]+) ?ms/.exec(stdout) ?? [];
  if (exit === 0) return { ...base, outcome: 'answered', ms: ms === undefined ? null : Number(ms), said: '' };
  // Who has sent says so; `From …: Destination Net Unreachable` is an answer of somebody on the way.
  const sent = /^\d+ packets transmitted/m.test(stdout);
  const [, way = ''] = /^From \S+:? icmp_seq=\d+ (.+)$/m.exec(stdout) ?? [];
  const said = (sent ? way : complaint || 'it gave no answer in time').slice(0, SAID);
  return { ...base, outcome: sent ? 'silent' : 'not asked', ms: null, said };
}

const report = z.object({
  report: z.object({
    hubs: z.array(z.object({ count: z.number().int().positive(), host: z.string().max(300) })).max(300),
  }),
});

/** The way of first packets to one port, hop by hop, by `mtr`; undefined where there is none. One packet for each hop. */
export async function trace(address: string, port: number, ask: Ask): Promise<TraceFact | undefined> {
  const words = [
    '--json',
    '-n',
    '-T',
    '-P',
    port,
    '-c',
    1,
    '-G',
    GRACE_S,
    '-m',
    MOST_HOPS,
    '-U',
    SILENT_HOPS,
  ];
  const { exit, stdout, complaint, missing } = await ask('mtr', [...words.map(String), address], TRACE_MS);
  if (missing) return undefined;
  const base = { address, family: familyOf(address) === 6 ? (6 as const) : (4 as const), hops: [] };
  if (exit !== 0) return { ...base, problem: (complaint || 'it gave no answer in time').slice(0, SAID) };
  const hubs = hubsIn(stdout);
  if (hubs === undefined) return { ...base, problem: 'its answer cannot be read' };
  const last = Math.min(MOST_HOPS, Math.max(0, ...hubs.map(({ count }) => count)));
  const hops = Array.from({ length: last }, (_, index) => {
    const host = hubs.find(({ count }) => count === index + 1)?.host ?? '';
    return familyOf(host) === 0 ? null : host;
  });
  return { ...base, hops, problem: null };
}

function hubsIn(text: string): z.infer<typeof report>['report']['hubs'] | undefined {
  try {
    return report.parse(JSON.parse(text)).report.hubs;
  } catch {
    return undefined;
  }
}
