import { BbxError } from '../../base/error.ts';
import { parseAddress } from '../../net/endpoint/address.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import { MOST_PLACES, type DialledWay, type DialPlace } from '../../protocol/bbx/dial-facts.ts';
import { lookUp, tryAlone } from './link-ways.ts';

/** All places together: a person waits for the answer. */
const ALL_MS = 12_000;
/** Addresses of one name: enough to meet both families of a service that has many. */
const MOST_OF_EACH = 2;

/** Questions that wait while another is answered; a master asks one at a time. */
const MOST_WAITING = 4;

/**
 * Makes what tries places that builds of this worker connect to, from where it is: what its system gives for the name, and a connection to the first addresses of
 * each family. Nothing is sent there. One question at a time; of those that are too many the answer is empty. `isBehindHops`: what the worker does goes
 * through hops, so that nothing of it is tried. Rejects only with the signal's reason.
 */
export function createPlaceTrier(options: {
  isBehindHops: boolean;
  signal: AbortSignal;
}): (places: readonly DialPlace[]) => Promise<DialledWay[]> {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (places) => {
    if (waiting >= MOST_WAITING) return [];
    waiting += 1;
    const own = last.then(() => tryPlaces(places, options.isBehindHops, options.signal));
    // What became of it is told to who asked.
    last = own.catch(() => undefined);
    try {
      return await own;
    } finally {
      waiting -= 1;
    }
  };
}

async function tryPlaces(
  places: readonly DialPlace[],
  isBehindHops: boolean,
  signal: AbortSignal,
): Promise<DialledWay[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(ALL_MS)]);
  const tried = await Promise.all(
    places.slice(0, MOST_PLACES).map((place) => tryPlace(place, isBehindHops, limited)),
  );
  signal.throwIfAborted();
  return tried;
}

async function tryPlace(
  { host, port }: DialPlace,
  behindHops: boolean,
  signal: AbortSignal,
): Promise<DialledWay> {
  const target = printHostPort(host, port);
  const way: DialledWay = { target, host, port, behindHops, lookups: [], addresses: [], raced: null };
  if (behindHops || !isHost(target)) return way;
  const lookups = familyOf(host) === 0 ? await lookUp(host, signal) : [];
  const addresses =
    familyOf(host) === 0 ? lookups.flatMap((one) => one.addresses.slice(0, MOST_OF_EACH)) : [host];
  return {
    ...way,
    lookups,
    addresses: await Promise.all(addresses.map((address) => tryAlone(address, port, signal))),
  };
}

/** The master's words are those of a peer: a text that is no host is not looked up. */
function isHost(target: string): boolean {
  try {
    return parseAddress(target).kind === 'tcp';
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    return false;
  }
}
