import { readFile } from 'node:fs/promises';
import { queryServer, type DnsServer } from '../../net/dns/client.ts';
import { parseResolvConf, USED_NAMESERVERS } from '../../net/dns/resolv-conf.ts';
import { IPV4_ONLY_NAME, pref64In } from '../../net/nat64.ts';
import { systemResolver } from '../../net/system-resolver.ts';
import type { Completion, Nat64Facts, OrderFacts, ResolverFacts } from '../facts/resolver.ts';

/** A configuration file of that size is none. */
const FILE_BYTES = 256 * 1024;
/** Domains of the search list that are asked; glibc takes any number, people write one or two. */
const SEARCHED = 6;
const LOOKUP_MS = 6_000;

/** A small text file, or undefined. */
export async function readSmall(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text?.slice(0, FILE_BYTES);
}

/** The files that say how names are resolved. Paths stand in for the system's in tests. */
export async function readResolver(
  files: { resolvConf?: string; nsswitch?: string } = {},
): Promise<ResolverFacts> {
  const [conf, nsswitch] = await Promise.all([
    readSmall(files.resolvConf ?? '/etc/resolv.conf'),
    readSmall(files.nsswitch ?? '/etc/nsswitch.conf'),
  ]);
  return {
    at: new Date().toISOString(),
    conf: conf === undefined ? null : parseResolvConf(conf),
    nsswitch: hostsLine(nsswitch ?? ''),
  };
}

/** nsswitch.conf(5): sources of host names, and in brackets what to do after the one before. */
function hostsLine(text: string): string[] | null {
  const line = text
    .split('\n')
    .map((one) => (one.split('#')[0] ?? '').trim())
    .find((one) => /^hosts\s*:/.test(one));
  return line === undefined ? null : (line.replace(/^hosts\s*:/, '').match(/\[[^\]]*\]|[^\s[]+/g) ?? []);
}

/** Those that the system's resolver uses. */
export async function nameservers(): Promise<DnsServer[]> {
  const { conf } = await readResolver();
  return (conf?.nameservers ?? []).slice(0, USED_NAMESERVERS).map((address) => ({ address }));
}

/** Asks each nameserver for AAAA of `ipv4only.arpa`, which without a translator is NODATA. */
export async function readNat64(signal: AbortSignal): Promise<Nat64Facts> {
  const servers = await Promise.all(
    (await nameservers()).map(async (server) => {
      const { values } = await queryServer(server, IPV4_ONLY_NAME, 'AAAA', { signal });
      const prefixes = values.map(pref64In).filter((one) => one !== undefined);
      const distinct = prefixes.filter(
        (one, at) =>
          prefixes.findIndex(({ prefix, bits }) => prefix === one.prefix && bits === one.bits) === at,
      );
      return { server: server.address, addresses: values, prefixes: distinct };
    }),
  );
  return { at: new Date().toISOString(), servers };
}

/** What the domains of the search list make of a name, in their order; those that nobody has are left out. */
export async function readCompletions(name: string, signal: AbortSignal): Promise<Completion[]> {
  const { conf } = await readResolver();
  const [server] = await nameservers();
  if (server === undefined || name.endsWith('.')) return [];
  const found = await Promise.all(
    (conf?.search ?? []).slice(0, SEARCHED).map(async (domain): Promise<Completion> => {
      const whole = `${name}.${domain.replace(/\.$/, '')}`;
      const [four, six] = await Promise.all(
        (['A', 'AAAA'] as const).map((type) => queryServer(server, whole, type, { signal })),
      );
      return { name: whole, addresses: [...(six?.values ?? []), ...(four?.values ?? [])] };
    }),
  );
  return found.filter(({ addresses }) => addresses.length > 0);
}

/** The system's order of the addresses of both families, as most programs get it. */
export async function readOrder(name: string, signal: AbortSignal): Promise<OrderFacts> {
  const { addresses, errno, ms } = await systemResolver.order(name, { signal, limitMs: LOOKUP_MS });
  return { at: new Date().toISOString(), addresses, errno: errno ?? null, ms: Math.round(ms) };
}
