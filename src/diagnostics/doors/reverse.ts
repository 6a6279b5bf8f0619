import { queryServer, type DnsServer } from '../../net/dns/client.ts';
import { reverseName } from '../../net/dns/reverse.ts';
import { familyOf } from '../../net/endpoint/host.ts';
import { leadsBack, type ReverseFact } from '../facts/reverse.ts';
import { nameservers } from './resolver.ts';

/** Codes of an answer that says there is no such record. */
const NONE = new Set(['ENODATA', 'ENOTFOUND']);
/** More than a few names of one address are a mistake. */
const MOST_NAMES = 4;

/** Asks the system's nameservers, one after the other, for the names of an address, and those names for their addresses. `servers` stand in for the system's in tests. */
export async function readReverse(
  address: string,
  signal: AbortSignal,
  servers?: readonly DnsServer[],
): Promise<ReverseFact> {
  const family = familyOf(address) === 6 ? 6 : 4;
  const fact = (outcome: ReverseFact['outcome'], names: ReverseFact['names'] = []): ReverseFact => ({
    ...{ at: new Date().toISOString(), address, family, outcome, names },
  });
  for (const server of servers ?? (await nameservers())) {
    const { values, errno } = await queryServer(server, reverseName(address), 'PTR', { signal });
    if (errno !== undefined && !NONE.has(errno)) continue;
    if (values.length === 0) return fact('none');
    const type = family === 6 ? 'AAAA' : 'A';
    const names = await Promise.all(
      values.slice(0, MOST_NAMES).map(async (name) => {
        const { values: addresses, errno: lost } = await queryServer(server, name, type, { signal });
        return { name, addresses, isKnown: lost === undefined || NONE.has(lost) };
      }),
    );
    const told = fact(
      'names',
      names.map(({ name, addresses }) => ({ name, addresses })),
    );
    // That a name does not lead back can only be said of names whose addresses are known.
    return leadsBack(told) || names.every(({ isKnown }) => isKnown) ? told : fact('unknown');
  }
  return fact('unknown');
}
