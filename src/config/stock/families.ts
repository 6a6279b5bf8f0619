import { isIPv4, isIPv6 } from 'node:net';

/** Which addresses a stock server's `interface` takes. */
export type Binding =
  /** `::`: IPv6, and IPv4 where `net.ipv6.bindv6only` is 0, since Twisted leaves that to the system. */
  | { readonly kind: 'both' }
  | { readonly kind: 'all-ipv4' }
  | { readonly kind: 'one'; readonly family: 4 | 6; readonly address: string }
  /** Twisted asks for its A record alone. */
  | { readonly kind: 'name'; readonly name: string };

/** What Twisted binds for the value of `interface`. */
export function bindingOf(host: string): Binding {
  if (host === '' || host === '0.0.0.0') return { kind: 'all-ipv4' };
  if (host === '::' || /^[0:]*::[0:]*$/.test(host)) return { kind: 'both' };
  const bare = host.replace(/%.*$/, '');
  if (isIPv6(bare)) return { kind: 'one', family: 6, address: host };
  if (isIPv4(host)) return { kind: 'one', family: 4, address: host };
  return { kind: 'name', name: host };
}

/** The binding in words: `every IPv4 address and no IPv6 one`. */
export function bindingWords(binding: Binding): string {
  switch (binding.kind) {
    case 'both':
      return 'every address of both families (IPv6 alone where net.ipv6.bindv6only is 1)';
    case 'all-ipv4':
      return 'every IPv4 address and no IPv6 one';
    case 'one':
      return `${binding.address} alone, which is IPv${binding.family}`;
    case 'name':
      return `the first IPv4 address of the name "${binding.name}" alone`;
  }
}
