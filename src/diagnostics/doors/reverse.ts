import { queryServer } from '../../net/dns/client.ts';
import { reverseName } from '../../net/dns/reverse.ts';
import { familyOf } from '../../net/endpoint/host.ts';
import type { ReverseFact } from '../facts/reverse.ts';
import { nameservers } from './resolver.ts';

/** Codes of an answer that says there is no such record. */
const NONE = new Set(['ENODATA', 'ENOTFOUND']);
/** More than a few names of one address are a mistake. */
const MOST_NAMES = 4;

/** Asks the system's nameservers, one after the other, for the names of an address, and those names for their addresses. */
export async function readReverse(address: string, signal: AbortSignal): Promise<ReverseFact> {
  const family = familyOf(address) === 6 ? 6 : 4;
  const fact = (outcome: ReverseFact['outcome'], names: ReverseFact['names'] = []): ReverseFact => ({
    ...{ at: new Date().toISOString(), address, family, outcome, names },
  });
  for (const server of await nameservers()) {
    const { values, errno } = await queryServer(server, reverseName(address), 'PTR', { signal });
    if (errno !== undefined && !NONE.has(errno)) continue;
    if (values.length === 0) return fact('none');
    const type = family === 6 ? 'AAAA' : 'A';
    const names = values.slice(0, MOST_NAMES).map(async (name) => {
      const answer = await queryServer(server, name, type, { signal });
      return { name, addresses: answer.values };
    });
    return fact('names', await Promise.all(names));
  }
  return fact('unknown');
}
