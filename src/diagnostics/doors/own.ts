import type { HealthFacts, LinkEndsFacts } from '../facts/own.ts';
import type { ListenerFacts } from '../facts/listeners.ts';
import { once } from '../asking.ts';
import type { ListenerSubject, ProgramSubject } from '../subject.ts';
import { readLinkEnds } from './link-ends.ts';
import { readHealth } from './web-health.ts';

/** Doors to this machine's own programs of the farm. */
export interface OwnProbes {
  /** Who took a worker's name, as it wrote that down itself. */
  linkEnds(program: ProgramSubject): Promise<LinkEndsFacts>;
  /** What a web port says of itself, at one address of each family that connects. */
  health(listener: ListenerSubject): Promise<HealthFacts>;
}

/** The real ones. */
export function createOwnProbes(door: {
  signal: AbortSignal;
  listener(listener: ListenerSubject): Promise<ListenerFacts>;
}): OwnProbes {
  const onceHealth = once<HealthFacts>();
  return {
    // One check asks it, once a program.
    linkEnds: readLinkEnds,
    health: (listener) =>
      onceHealth(listener.text, async () => {
        const { attempts } = await door.listener(listener);
        const open = ([6, 4] as const).flatMap((family) =>
          attempts.filter((one) => one.family === family && one.outcome === 'connected').slice(0, 1),
        );
        return {
          at: new Date().toISOString(),
          addresses: await Promise.all(open.map((one) => readHealth(one.address, one.port, door.signal))),
        };
      }),
  };
}
