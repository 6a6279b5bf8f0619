import { kindOf } from '../net/address-kind.ts';
import type { DirectoryFacts } from './directory.ts';
import type { HostFacts } from './facts/host.ts';
import { candidates, type NameFacts } from './facts/names.ts';

/**
 * The names, in small letters, by which the worker looks for its master and which lead to this very host. They are looked up only where a
 * master stands beside the worker and does not run: then a refusal at such a name is no news.
 */
export async function namesThatLeadHere(
  { master: own, beside, worker }: DirectoryFacts,
  host: HostFacts,
  lookUp: (name: string) => Promise<NameFacts>,
): Promise<string[]> {
  const master = own ?? beside;
  if (master === undefined || master.running) return [];
  const local = new Set(host.addresses.map(({ address }) => address));
  const isLocal = (address: string) => kindOf(address) === 'loopback' || local.has(address);
  const names = (worker?.config?.master ?? []).flatMap((way) => (way.kind === 'tcp' ? [way.host] : []));
  const found = await Promise.all(
    [...new Set(names)].map(async (name) => {
      const addresses = candidates(await lookUp(name));
      return addresses.length > 0 && addresses.every(isLocal) ? [name.toLowerCase()] : [];
    }),
  );
  return found.flat();
}
