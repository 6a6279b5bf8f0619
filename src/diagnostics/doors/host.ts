import { readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BbxError } from '../../base/error.ts';
import { kindOf } from '../../net/address-kind.ts';
import { familyOf } from '../../net/endpoint/host.ts';
import { listen } from '../../net/listen.ts';
import { interfaces, readInside, readMtus } from './surroundings.ts';
import { defaultIpv6Routes, parseIfInet6, parseIpv6Routes } from '../../net/proc.ts';
import { sourceToward } from '../../net/source-address.ts';
import type { HostAddress, HostFacts, SourceFact } from '../facts/host.ts';

/** CAP_NET_BIND_SERVICE in the mask of /proc/self/status. */
const CAP_NET_BIND_SERVICE = 1n << 10n;

/** Reads the host's network stack without privilege; what cannot be read is undefined. `proc` stands in for /proc in tests. */
export async function readHost(
  env: Readonly<Record<string, string | undefined>>,
  proc = '/proc',
): Promise<HostFacts> {
  const read = (path: string) => readFile(join(proc, path), 'utf8').catch(() => undefined);
  const [
    ifInet6,
    routes6,
    routes4,
    bindv6only,
    lowPort,
    status,
    disableIpv6,
    loopback6,
    ipv6Directory,
    nonlocal4,
    nonlocal6,
    mtus,
    inside,
  ] = await Promise.all([
    read('net/if_inet6'),
    read('net/ipv6_route'),
    read('net/route'),
    read('sys/net/ipv6/bindv6only'),
    read('sys/net/ipv4/ip_unprivileged_port_start'),
    read('self/status'),
    readSwitches(join(proc, 'sys/net/ipv6/conf')),
    bindError('::1', 0),
    readdir(join(proc, 'sys/net/ipv6')).then(
      () => true,
      () => false,
    ),
    read('sys/net/ipv4/ip_nonlocal_bind'),
    read('sys/net/ipv6/ip_nonlocal_bind'),
    readMtus(join(proc, 'sys/net/ipv6/conf')),
    readInside(proc),
  ]);
  const linux = routes4 !== undefined;
  const effective = /^CapEff:\s*([\da-f]+)$/m.exec(status ?? '')?.[1];
  return {
    at: new Date().toISOString(),
    hostname: hostname(),
    ipv6InKernel: ifInet6 !== undefined ? ifInet6.trim() !== '' : linux && !ipv6Directory ? false : undefined,
    loopback6,
    addresses: hostAddresses(ifInet6),
    defaultRoute: { 4: defaultRoute4(routes4), 6: defaultRoute6(routes6, linux) },
    disableIpv6,
    bindv6only: switchIn(bindv6only),
    unprivilegedPort: lowPort === undefined ? undefined : Number(lowPort.trim()),
    mayBindLowPorts: effective !== undefined && (BigInt(`0x${effective}`) & CAP_NET_BIND_SERVICE) !== 0n,
    inheritedSockets: env['LISTEN_FDS'] !== undefined && env['LISTEN_FDS'] !== '0',
    nonlocalBind: { 4: switchIn(nonlocal4), 6: switchIn(nonlocal6) },
    mtus,
    inside,
  };
}

/** IPv6 from the kernel's table, which alone has the flags; the rest from the system's call. */
function hostAddresses(ifInet6: string | undefined): HostAddress[] {
  const listed = Object.entries(interfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).map((address) => ({ ...address, interface: name })),
  );
  const plain = listed
    .filter((address) => address.family === 'IPv4' || ifInet6 === undefined)
    .map((address): HostAddress => ({
      family: address.family === 'IPv4' ? 4 : 6,
      address: address.address,
      interface: address.interface,
      kind: kindOf(address.address),
      flags: [],
    }));
  const six = parseIfInet6(ifInet6 ?? '').map((row): HostAddress => ({
    family: 6,
    address: row.address,
    interface: row.interface,
    kind: kindOf(row.address),
    flags: [
      ...(row.tentative ? (['tentative'] as const) : []),
      ...(row.dadFailed ? (['dadfailed'] as const) : []),
      ...(row.deprecated ? (['deprecated'] as const) : []),
      ...(row.temporary ? (['temporary'] as const) : []),
    ],
  }));
  return [...plain, ...six];
}

function defaultRoute6(text: string | undefined, linux: boolean): string | null | undefined {
  // A kernel without IPv6 has no such file, and no route.
  if (text === undefined) return linux ? null : undefined;
  const [route] = defaultIpv6Routes(parseIpv6Routes(text));
  return route === undefined
    ? null
    : `${route.interface}${route.gateway === undefined ? '' : ` via ${route.gateway}`}`;
}

/** /proc/net/route: interface, destination, gateway, flags … in hex; a default route has destination and mask zero. */
function defaultRoute4(text: string | undefined): string | null | undefined {
  if (text === undefined) return undefined;
  const row = text
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .find((fields) => fields[1] === '00000000' && fields[7] === '00000000');
  return row?.[0] ?? null;
}

function switchIn(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text.trim() === '1';
}

async function readSwitches(conf: string): Promise<Record<string, boolean> | undefined> {
  const names = await readdir(conf).catch(() => undefined);
  if (names === undefined) return undefined;
  const entries = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(conf, name, 'disable_ipv6'), 'utf8').catch(() => undefined);
      return text === undefined ? undefined : ([name, text.trim() === '1'] as const);
    }),
  );
  return Object.fromEntries(entries.filter((entry) => entry !== undefined));
}

/** System code of binding an address for a moment, or null where that works. */
export async function bindError(host: string, port: number): Promise<string | null> {
  try {
    const listener = await listen({
      addresses: [{ kind: 'tcp', host, port }],
      onConnection: ({ stream }) => stream.destroy(),
    });
    await listener.close(0);
    return null;
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    if (error.code === 'BBX-NET-IN-USE') return 'EADDRINUSE';
    if (error.code === 'BBX-NET-PRIVILEGE') return 'EACCES';
    const { errno, problem } = error.data as { errno?: string; problem?: string };
    return errno ?? problem ?? error.code;
  }
}

/** Source addresses toward literals, each asked once. */
export async function readSources(addresses: readonly string[]): Promise<SourceFact[]> {
  const literals = [...new Set(addresses)].filter((address) => familyOf(address) !== 0);
  return Promise.all(
    literals.map(async (target): Promise<SourceFact> => ({
      target,
      family: familyOf(target) === 6 ? 6 : 4,
      ...(await sourceToward(target)),
    })),
  );
}
