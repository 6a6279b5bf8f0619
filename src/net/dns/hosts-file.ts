import { familyOf, printIpv6 } from '../endpoint/host.ts';

export interface HostsLine {
  /** From 1. */
  line: number;
  address: string;
  family: 4 | 6;
  /** In lower case, the first is the canonical one. */
  names: string[];
}

/** The hosts file (hosts(5)). A line that starts with no address is left out, as resolvers do. */
export function parseHostsFile(text: string): HostsLine[] {
  const lines: HostsLine[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const [address = '', ...names] = (raw.split('#')[0] ?? '').trim().split(/\s+/);
    const family = familyOf(address);
    if (family === 0 || names.length === 0) continue;
    lines.push({
      line: index + 1,
      address: family === 6 ? printIpv6(address) : address,
      family,
      names: names.map((name) => name.toLowerCase()),
    });
  }
  return lines;
}

/** The addresses that the file gives a name, in its order. */
export function addressesInHosts(lines: readonly HostsLine[], name: string): string[] {
  const wanted = name.replace(/\.$/, '').toLowerCase();
  return lines.filter(({ names }) => names.includes(wanted)).map(({ address }) => address);
}
