import * as z from 'zod';
import type { DoctorReport } from '../api/doctor.ts';
import type { Family } from './intent.ts';

const family = z.union([z.literal(4), z.literal(6)]);
const attempt = z.object({
  address: z.string(),
  family,
  port: z.number(),
  outcome: z.enum(['connected', 'failed', 'silent']),
  errno: z.string().nullable(),
  local: z.boolean(),
  ms: z.number(),
});
const FORMS = {
  host: z.object({ hostname: z.string(), addresses: z.array(z.object({ address: z.string() })) }),
  name: z.object({
    name: z.string(),
    literal: family.nullable(),
    servers: z.array(
      z.object({
        A: z.object({ addresses: z.array(z.string()) }),
        AAAA: z.object({ addresses: z.array(z.string()) }),
      }),
    ),
  }),
  path: z.object({ attempts: z.array(attempt) }),
  peers: z.array(z.object({ address: z.string(), kind: z.string(), instance: z.string().nullable() })),
  links: z.array(
    z.object({ address: z.string(), localEnd: z.string().nullable(), nonce: z.string().nullable() }),
  ),
  listener: z.object({
    rows: z.array(z.object({ family, address: z.string(), port: z.number() })).optional(),
    attempts: z.array(attempt),
  }),
  accepted: z.array(z.object({ nonce: z.string().nullable(), peer: z.string() })),
};

export type SideAttempt = z.infer<typeof attempt> & { readonly target: string };
export type SideRow = { readonly family: Family; readonly address: string; readonly port: number };

/** One end's report, as far as the other end can make something of it. */
export interface Side {
  /** The file, as it was named. */
  readonly file: string;
  readonly report: DoctorReport;
  readonly hostname: string | undefined;
  /** Addresses of its host; undefined: not in the report. */
  readonly addresses: readonly string[] | undefined;
  readonly attempts: readonly SideAttempt[];
  /** Who answered this end, by address. */
  readonly met: readonly { readonly address: string; readonly instance: string | null }[];
  /** What it greeted with, by address. */
  readonly nonces: readonly {
    readonly address: string;
    readonly nonce: string;
    readonly localEnd: string | null;
  }[];
  /** Names that it asked DNS about, with all that was published, sorted. */
  readonly names: ReadonlyMap<string, readonly string[]>;
  /** Ports that it looked at as a listener, with the kernel's rows and its own connections to them. */
  readonly listeners: ReadonlyMap<
    number,
    { readonly rows: readonly SideRow[] | undefined; readonly attempts: readonly SideAttempt[] }
  >;
  /** Keys that its own master proved. */
  readonly instances: readonly string[];
  /** Connections that its listener took, where it kept watch. */
  readonly accepted: readonly { readonly nonce: string | null; readonly peer: string }[] | undefined;
}

/** Reads a report's facts; what does not have the form that this version knows is passed over. */
export function sideOf(file: string, report: DoctorReport): Side {
  const facts = report.facts ?? [];
  const all = <Probe extends keyof typeof FORMS>(probe: Probe, names: readonly string[] = [probe]) =>
    facts
      .filter((fact) => names.includes(fact.probe))
      .flatMap((fact) => {
        const read = FORMS[probe].safeParse(fact.facts);
        return read.success
          ? [{ about: fact.about, facts: read.data as z.infer<(typeof FORMS)[Probe]> }]
          : [];
      });
  const host = all('host')[0]?.facts;
  const listeners: [number, { rows: SideRow[] | undefined; attempts: SideAttempt[] }][] = all(
    'listener',
  ).flatMap(({ about, facts: { rows, attempts } }) => {
    const port = Number(/:(\d+)$/.exec(about)?.[1]);
    return Number.isNaN(port)
      ? []
      : [[port, { rows, attempts: attempts.map((one) => ({ ...one, target: about })) }]];
  });
  const accepted = all('accepted');
  return {
    file,
    report,
    hostname: host?.hostname,
    addresses: host?.addresses.map(({ address }) => address),
    attempts: all('path').flatMap(({ about, facts: { attempts } }) =>
      attempts.map((one) => ({ ...one, target: about })),
    ),
    met: all('peers').flatMap(({ facts: peers }) => peers),
    nonces: all('links').flatMap(({ facts: links }) =>
      links.flatMap(({ nonce, ...rest }) => (nonce === null ? [] : [{ ...rest, nonce }])),
    ),
    names: new Map(
      all('name')
        .filter(({ facts: { literal, servers } }) => literal === null && servers.length > 0)
        .map(({ facts: { name, servers } }) => [
          name,
          [...new Set(servers.flatMap(({ A, AAAA }) => [...A.addresses, ...AAAA.addresses]))].toSorted(),
        ]),
    ),
    listeners: new Map(listeners),
    instances: all('peers', ['listenerPeers']).flatMap(({ facts: peers }) =>
      peers.flatMap(({ instance }) => (instance === null ? [] : [instance])),
    ),
    accepted: accepted.length === 0 ? undefined : accepted.flatMap(({ facts: connections }) => connections),
  };
}
