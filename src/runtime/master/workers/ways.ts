import { hostname } from 'node:os';
import type { MasterConfig } from '../../../config/master-config.ts';
import { printAddress } from '../../../net/endpoint/address.ts';

/** How workers get here: as configured, or else where the master listens, with the host's name for "every address". */
export function waysHere(config: Pick<MasterConfig, 'reach'>, bound: readonly string[]): string[] {
  if (config.reach.length > 0) return config.reach.map(printAddress);
  const ways = bound.map((address) => address.replace(/^(?:\[::\]|0\.0\.0\.0):(?=\d+$)/, `${hostname()}:`));
  return [...new Set(ways)];
}
