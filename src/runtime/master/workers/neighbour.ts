import { networkInterfaces } from 'node:os';

/**
 * Whether builds of this worker can use the master's control socket, which obeys whoever may open it: they run on the master's host, as the master's
 * user or as root. `facts.uid` is the worker's own word for whom its builds run as. Pure but for the host's addresses and the process's uid, which
 * tests hand in.
 */
export function canUseControlSocket(
  worker: { peer: string; facts: Readonly<Record<string, string>> },
  here: { addresses: ReadonlySet<string>; uid: number } = thisHost(),
): boolean {
  const host = /^\[?([^\]]*)\]?:\d+$/
    .exec(worker.peer)?.[1]
    ?.replace(/^::ffff:/, '')
    .replace(/%.*$/, '');
  const uid = worker.facts['uid'];
  return host !== undefined && here.addresses.has(host) && (uid === '0' || uid === String(here.uid));
}

/** The system is asked for the host's addresses at most so often: a thousand workers may come in a second. */
const SAME_HOST_MS = 1_000;
let known: { at: number; addresses: ReadonlySet<string> } | undefined;

function thisHost(): { addresses: ReadonlySet<string>; uid: number } {
  const now = performance.now();
  if (known === undefined || now - known.at > SAME_HOST_MS) {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    known = { at: now, addresses: new Set(addresses.map(({ address }) => address)) };
  }
  return { addresses: known.addresses, uid: process.geteuid?.() ?? -1 };
}
