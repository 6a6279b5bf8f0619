import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { queryServer, type DnsAnswer, type DnsServer } from '../../net/dns/client.ts';
import { addressesInHosts, parseHostsFile } from '../../net/dns/hosts-file.ts';
import { parseResolvConf, USED_NAMESERVERS } from '../../net/dns/resolv-conf.ts';
import { parseAddress } from '../../net/endpoint/address.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import { SILENCE } from '../../net/explain.ts';
import { systemResolver } from '../../net/system-resolver.ts';
import type { DnsOutcome, DnsReply, NameFacts, ServerReplies } from '../facts/names.ts';

/** The system's lookup: longer than one dead nameserver costs it, far shorter than the budget. */
const LOOKUP_MS = 6_000;
/** A third question, for an answer that is slow: the system's lookup waits as long (5 s for a nameserver). */
const PATIENT_MS = 4_000;
const DNS_PORT = 53;

export interface NameDoor {
  signal: AbortSignal;
  /** Stand in for the system's files in tests. */
  resolvConf?: string;
  hostsFile?: string;
}

/** Everything about one name: each nameserver asked for each type apart, the system's lookup, the hosts file. */
export async function readName(host: string, server: string | undefined, door: NameDoor): Promise<NameFacts> {
  const literal = familyOf(host);
  const localhost = host === 'localhost' || host.endsWith('.localhost');
  const base = {
    at: new Date().toISOString(),
    name: host,
    literal: literal === 0 ? null : literal,
    localhost,
    ownName: host.replace(/\.$/, '').toLowerCase() === hostname().toLowerCase(),
  };
  if (literal !== 0) return { ...base, servers: [], lookup: null, hosts: [] };
  const [hosts, servers, lookup] = await Promise.all([
    readHosts(host, door.hostsFile),
    localhost ? [] : askServers(host, server, door),
    lookUp(host, door.signal),
  ]);
  return { ...base, servers, lookup, hosts: localhost ? [] : hosts };
}

async function readHosts(host: string, file = '/etc/hosts'): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return [...new Set(addressesInHosts(parseHostsFile(text), host))];
}

async function askServers(
  host: string,
  server: string | undefined,
  door: NameDoor,
): Promise<ServerReplies[]> {
  const servers = server === undefined ? await systemServers(door.resolvConf) : [parseServer(server)];
  return Promise.all(
    servers.map(async (one): Promise<ServerReplies> => {
      const [a, aaaa] = await askBoth(one, host, door.signal);
      return {
        server: one.port === undefined ? one.address : printHostPort(one.address, one.port),
        A: replyOf(a),
        AAAA: replyOf(aaaa),
      };
    }),
  );
}

/** Each type apart. A server that gave one and not the other is asked again with patience: slow and never are two faults. */
async function askBoth(
  server: DnsServer,
  host: string,
  signal: AbortSignal,
): Promise<[a: DnsAnswer, aaaa: DnsAnswer]> {
  const ask = (type: 'A' | 'AAAA', patience = {}) => queryServer(server, host, type, { signal, ...patience });
  const both = await Promise.all([ask('A'), ask('AAAA')]);
  const late = both.findIndex(({ errno }) => errno === SILENCE);
  const silent = both[late];
  if (silent === undefined || silent.over === 'tcp' || both.every(({ errno }) => errno === SILENCE))
    return both;
  const again = await ask(late === 0 ? 'A' : 'AAAA', { tryMs: PATIENT_MS, tries: 1 });
  both[late] = again.errno === SILENCE ? { ...again, ms: silent.ms + again.ms } : again;
  return both;
}

async function systemServers(file = '/etc/resolv.conf'): Promise<DnsServer[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return parseResolvConf(text)
    .nameservers.slice(0, USED_NAMESERVERS)
    .map((address) => ({ address }));
}

/** `--server`: an address, with a port where it is not 53. Throws BBX-NET-ADDRESS. */
export function parseServer(text: string): DnsServer {
  const address = parseAddress(text, { defaultPort: DNS_PORT });
  if (address.kind !== 'tcp') return { address: text };
  return { address: address.host, ...(address.port === DNS_PORT ? {} : { port: address.port }) };
}

const OUTCOMES: Readonly<Record<string, DnsOutcome>> = {
  ENODATA: 'nodata',
  ENOTFOUND: 'nxdomain',
  ESERVFAIL: 'servfail',
  EREFUSED: 'refused',
  EBADRESP: 'garbage',
  EFORMERR: 'garbage',
  [SILENCE]: 'timeout',
};

function replyOf(answer: DnsAnswer): DnsReply {
  const base = { ms: Math.round(answer.ms), ...(answer.truncated ? { cut: true as const } : {}) };
  if (answer.errno === undefined) return { ...base, outcome: 'answer', addresses: answer.values };
  const outcome = OUTCOMES[answer.errno];
  if (outcome !== undefined) return { ...base, outcome, addresses: [] };
  // An answer with a code of its own (NOTIMP) helps as little as SERVFAIL; without one nobody was there.
  return {
    ...base,
    outcome: answer.rcode === undefined ? 'unreachable' : 'servfail',
    addresses: [],
    detail: answer.errno,
  };
}

/** Both families apart, as every program of bbx asks; IPv6 first, as RFC 6724 would have it where both are usable. */
async function lookUp(host: string, signal: AbortSignal): Promise<NameFacts['lookup']> {
  const [six, four] = await Promise.all(
    ([6, 4] as const).map((family) => systemResolver.resolve(host, family, { signal, limitMs: LOOKUP_MS })),
  );
  if (six === undefined || four === undefined) return null;
  const addresses = [...new Set([...six.addresses, ...four.addresses])];
  if (addresses.length === 0 && six.errno === SILENCE && four.errno === SILENCE) return null;
  return {
    addresses,
    errno: addresses.length > 0 ? null : ((four.errno === SILENCE ? six.errno : four.errno) ?? null),
    ms: Math.round(Math.max(six.ms, four.ms)),
  };
}
