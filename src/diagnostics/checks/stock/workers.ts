import type { Evidence } from '../../../api/doctor.ts';
import { bindingWords, type Binding } from '../../../config/stock/families.ts';
import { sureValue, UNSET } from '../../../config/stock/written.ts';
import { familyOf, printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, skip, type CheckContext, type Draft, type Judgement } from '../../check.ts';
import { dnsEvidence, evidence } from '../../evidence.ts';
import { usableAddresses, type HostFacts } from '../../facts/host.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import type { StockEndpointSubject, StockMasterSubject } from '../../stock-subject.ts';
import { now, readEndpoint, urlHost } from './question.ts';

interface Published {
  readonly at: string;
  readonly names: readonly NameFacts[];
  /** Somebody said that workers dial these; else they are those of `buildbotURL`. */
  readonly given: boolean;
  readonly host: HostFacts;
}

/** One way to dial, and what comes of it: the families over which it gets in, or why it does not. */
interface Row {
  readonly dials: string;
  readonly over: readonly (4 | 6)[];
  readonly why?: string;
}

export const stk16 = defineCheck<'stock-endpoint', Published>({
  id: 'STK-16',
  title: 'which workers get in to a stock master, by how they dial',
  about: 'stock-endpoint',
  topics: ['ipv6'],
  needs: ['STK-01', 'STK-02', 'STK-06'],
  causes: ['STK-07', 'STK-15'],
  gather,
  judge: judgeWorkers,
});

async function gather(context: CheckContext, subject: StockEndpointSubject): Promise<Published> {
  const master = context.subjects.find(
    (other): other is StockMasterSubject => other.kind === 'stock-master' && other.file === subject.file,
  );
  const given = master?.reach ?? [];
  const url = urlHost(sureValue(master?.master.buildbotUrl ?? UNSET));
  const hosts = given.length > 0 ? given : url === undefined ? [] : [url];
  const [host, names] = await Promise.all([
    context.probes.host(),
    Promise.all(hosts.map((one) => context.probes.name(one))),
  ]);
  return { at: now(), names, given: given.length > 0, host };
}

function judgeWorkers({ at, names, given, host }: Published, subject: StockEndpointSubject): Judgement {
  if (subject.way === 'client' || subject.way === 'web') return skip('no worker dials it');
  const reading = readEndpoint(subject);
  if (reading?.binding === undefined || reading.binding === null) return skip('STK-01');
  const { binding, port, server } = reading;
  const secured = server?.kind === 'ssl';
  const dialled =
    names.length > 0
      ? names.map((name) => ({ name, at: name.name }))
      : [{ name: undefined, at: 'this host' }];
  return found(
    ...dialled.map(({ name, at: to }): Draft => {
      const addresses = name === undefined ? ownAddresses(host) : addressesOf(name);
      const takes = (address: string) => accepts(binding, address, host.bindv6only);
      const rows = [
        ...(name === undefined || name.literal !== null ? [] : byName(addresses, secured, takes)),
        ...addresses.map((address) => byAddress(address, secured, subject.way === 'msgpack', takes)),
      ];
      const [byItsName] = rows;
      const shut = rows.every(({ over }) => over.length === 0);
      const nameless = given && name !== undefined && name.literal === null && byItsName?.over.length === 0;
      const status = given && rows.length > 0 && shut ? 'error' : nameless ? 'warn' : 'info';
      return {
        status,
        target: printHostPort(to, port ?? 0),
        title:
          rows.length === 0
            ? `Nobody gets in at ${to}: it has no address`
            : `Workers that dial ${printHostPort(to, port ?? 0)}: ${rows.map(rowText).join('; ')}`,
        evidence: [
          evidence('file', subject.key, bindingWords(binding), at),
          ...rows.map((row): Evidence => evidence('file', row.dials, outcomeOf(row), at)),
          ...(subject.way === 'pb' && !secured ? sendchange(name, addresses, takes, at) : []),
          ...(name === undefined ? [] : dnsEvidence(name)),
        ],
        ...(status === 'info' ? {} : { fix: fixFor(rows, secured) }),
      };
    }),
  );
}

/** Plain workers ask gethostbyname and take the first; those with TLS try all addresses of both families. */
function byName(addresses: readonly string[], secured: boolean, takes: (address: string) => boolean): Row[] {
  if (secured) {
    const open = addresses.filter(takes);
    const over = ([6, 4] as const).filter((family) => open.some((one) => familyOf(one) === family));
    return [
      {
        dials: 'tls: by name',
        over,
        ...(over.length === 0 ? { why: 'no address of it is listened on' } : {}),
      },
    ];
  }
  const first = addresses.find((address) => familyOf(address) === 4);
  if (first === undefined) return [{ dials: 'tcp: by name', over: [], why: 'it has no A record' }];
  return takes(first)
    ? [{ dials: 'tcp: by name', over: [4] }]
    : [{ dials: 'tcp: by name', over: [], why: `${first}, its first A record, is not listened on` }];
}

/** `buildbot sendchange` and `try` ask for A as plain workers do, and cannot be given an IPv6 address in any form. */
function sendchange(
  name: NameFacts | undefined,
  addresses: readonly string[],
  takes: (address: string) => boolean,
  at: string,
): Evidence[] {
  const row = (dials: string, got: Row) =>
    evidence('file', `buildbot sendchange --master ${dials}`, outcomeOf(got), at);
  const named = name === undefined || name.literal !== null ? [] : byName(addresses, false, takes);
  const six = addresses.filter((address) => familyOf(address) === 6);
  return [
    ...named.map((one) => row(`${name?.name ?? ''}:PORT`, one)),
    ...six.map((address) =>
      row(`[${address}]:PORT`, { dials: '', over: [], why: "it wants 'hostname:port' and no IPv6 address" }),
    ),
  ];
}

function byAddress(
  address: string,
  secured: boolean,
  msgpack: boolean,
  takes: (address: string) => boolean,
): Row {
  const dials = `${secured ? 'tls:' : 'tcp:'} by ${address}`;
  const family = familyOf(address) === 6 ? 6 : 4;
  if (!takes(address)) return { dials, over: [], why: 'it is not listened on' };
  if (family === 6 && secured) return { dials, over: [], why: 'Twisted takes no IPv6 address with TLS' };
  if (family === 6 && msgpack) return { dials, over: [], why: 'msgpack writes no brackets' };
  return { dials, over: [family] };
}

function accepts(binding: Binding, address: string, bindv6only: boolean | undefined): boolean {
  const family = familyOf(address);
  switch (binding.kind) {
    case 'both':
      return family === 6 || bindv6only !== true;
    case 'all-ipv4':
      return family === 4;
    case 'one':
      return binding.address === address;
    case 'name':
      return false;
  }
}

function addressesOf(name: NameFacts): string[] {
  if (name.literal !== null) return [name.name];
  if (name.hosts.length > 0 || name.localhost)
    return [...new Set([...name.hosts, ...(name.lookup?.addresses ?? [])])];
  return [...published(name, 6), ...published(name, 4)];
}

function ownAddresses(host: HostFacts): string[] {
  return [...usableAddresses(host, 6), ...usableAddresses(host, 4)]
    .filter(({ kind }) => kind !== 'loopback' && kind !== 'link-local')
    .map(({ address }) => address);
}

function rowText(row: Row): string {
  return `${row.dials} ${outcomeOf(row)}`;
}

function outcomeOf({ over, why }: Row): string {
  return over.length === 0 ? `not (${why ?? 'nothing listens'})` : `over IPv${over.join(' and IPv')}`;
}

function fixFor(rows: readonly Row[], secured: boolean): NonNullable<Draft['fix']> {
  const literal = rows.find(({ dials, over }) => over.length > 0 && !dials.endsWith('by name'));
  if (literal === undefined)
    return [
      { text: String.raw`Listen where the name leads: r'tcp:PORT:interface=\:\:' takes both families` },
    ];
  const address = literal.dials.replace(/^.* by /, '');
  return [
    { text: `Let workers dial the address: buildmaster_host = '${address}' in buildbot.tac` },
    ...(secured
      ? []
      : [{ text: 'Or add an A record, or an ssl: port and use_tls = True, which tries both families' }]),
  ];
}
