import * as z from 'zod';
import { DOCTOR_SCHEMA, type DoctorReport } from '../api/doctor.ts';
import { pinOfToken } from './doors/probe-listener.ts';

const line = z.discriminatedUnion('type', [
  z.object({ type: z.literal('listening'), token: z.string(), bound: z.array(z.string()), at: z.number() }),
  z.object({ type: z.literal('accepted'), peer: z.string() }),
  z.object({ type: z.literal('greeted'), peer: z.string(), nonce: z.string() }),
]);
type Line = z.infer<typeof line>;

/** The lines of `bbx doctor listen --probe --json` as a report of that end; undefined for a text that is something else. */
export function reportOfProbeLines(text: string): DoctorReport | undefined {
  const lines = text.split('\n').flatMap((one): Line[] => {
    try {
      return [line.parse(JSON.parse(one))];
    } catch {
      // Ends of connections, which tell nothing here, and a last line that was cut.
      return [];
    }
  });
  const [start] = lines;
  if (start?.type !== 'listening') return undefined;
  const rows = start.bound.flatMap((bound) => {
    const [, address = '', port = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(bound) ?? [];
    return address === '' ? [] : [{ family: address.includes(':') ? 6 : 4, address, port: Number(port) }];
  });
  const ports = [...new Set(rows.map(({ port }) => port))];
  const instance = pinOfToken(start.token);
  const came = [...new Set(lines.flatMap((one) => ('peer' in one ? [one.peer] : [])))];
  const accepted = came.map((peer) => ({ peer, nonce: nonceOf(lines, peer) }));
  const about = (port: number) => `[::]:${port}`;
  return {
    ...{ schema: DOCTOR_SCHEMA, verdict: 'ok', code: '0', checks: [], findings: [], verdicts: [] },
    summary: { ok: 0, info: 0, warn: 0, error: 0, skip: 0, unknown: 0 },
    at: new Date(start.at * 1_000).toISOString(),
    vantage: 'master',
    facts: [
      ...ports.map((port) => ({
        probe: 'listener',
        about: about(port),
        facts: { rows: rows.filter((row) => row.port === port), attempts: [] },
      })),
      { probe: 'accepted', about: about(ports[0] ?? 0), facts: accepted },
      ...(instance === undefined
        ? []
        : [
            {
              probe: 'listenerPeers',
              about: about(ports[0] ?? 0),
              facts: [{ address: '::', kind: 'bbx', instance }],
            },
          ]),
    ],
  };
}

function nonceOf(lines: readonly Line[], peer: string): string | null {
  const greeted = lines.find((one) => one.type === 'greeted' && one.peer === peer);
  return greeted?.type === 'greeted' ? greeted.nonce : null;
}
