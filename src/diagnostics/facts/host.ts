import type { AddressKind } from '../../net/address-kind.ts';
import type { Family } from '../intent.ts';

/** An address of this host as the kernel lists it. */
export interface HostAddress {
  readonly family: Family;
  readonly address: string;
  readonly interface: string;
  readonly kind: AddressKind;
  /** Decoded from /proc/net/if_inet6; always empty for IPv4. */
  readonly flags: readonly ('tentative' | 'dadfailed' | 'deprecated' | 'temporary')[];
}

/** The network stack of this host, as seen without privilege. `undefined`: could not be read. */
export interface HostFacts {
  readonly at: string;
  readonly hostname: string;
  /** /proc/net/if_inet6 exists, so the kernel has IPv6 built in and on. */
  readonly ipv6InKernel: boolean | undefined;
  /** System code of binding `[::1]:0`; null when it worked. */
  readonly loopback6: string | null;
  readonly addresses: readonly HostAddress[];
  /** Interface (and gateway) of the default route, null where there is none. */
  readonly defaultRoute: Readonly<Record<Family, string | null | undefined>>;
  /** net.ipv6.conf.NAME.disable_ipv6, also of `all` and `default`. */
  readonly disableIpv6: Readonly<Record<string, boolean>> | undefined;
  readonly bindv6only: boolean | undefined;
  /** Ports below need a privilege. */
  readonly unprivilegedPort: number | undefined;
  /** CAP_NET_BIND_SERVICE is in effect. */
  readonly mayBindLowPorts: boolean;
  /** A listening socket was handed to this process (LISTEN_FDS). */
  readonly inheritedSockets: boolean;
  /** net.ipv4.ip_nonlocal_bind and net.ipv6.ip_nonlocal_bind: addresses that are not ours can be bound. */
  readonly nonlocalBind: Readonly<Record<Family, boolean | undefined>>;
  /** MTU of each interface but `lo`, as far as it could be read. */
  readonly mtus: Readonly<Record<string, number>>;
  /** What this process runs in besides the machine: `a container (docker)`, `a user namespace`. */
  readonly inside: readonly string[];
}

/** Which source address the kernel would take toward a target; nothing is sent to learn it. */
export interface SourceFact {
  readonly target: string;
  readonly family: Family;
  /** null with `errno` where there is no way. */
  readonly source: string | null;
  readonly errno: string | null;
}

/** Addresses that other hosts could use. */
export function usableAddresses(host: HostFacts, family: Family): HostAddress[] {
  return host.addresses.filter(
    (address) =>
      address.family === family &&
      address.kind !== 'loopback' &&
      address.kind !== 'link-local' &&
      !address.flags.includes('dadfailed') &&
      !address.flags.includes('tentative'),
  );
}

/** What a bind of `::1` ends with where there is no IPv6, or none on loopback. */
const NO_FAMILY = new Set([
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EPROTONOSUPPORT',
  'ENETUNREACH',
  'EINVAL',
  'EACCES',
  'EPERM',
]);

/** IPv6 works at least inside this host. */
export function hasIpv6(host: HostFacts): boolean {
  if (host.ipv6InKernel === false) return false;
  // No port or no file may be left for the trial; that says nothing of the family.
  return host.loopback6 === null || !NO_FAMILY.has(host.loopback6);
}

/** IPv4 works at least inside this host; a host without it refuses its own connections, which says nothing of who listens. */
export function hasIpv4(host: HostFacts): boolean {
  return host.addresses.some(({ family }) => family === 4);
}
