import { openClient } from '../../src/client/client.ts';
import { controlSocket } from '../../src/config/layout.ts';

/** A farm that does not get there in this time never will. */
const LIMIT_MS = 60_000;

/**
 * Waits until so many different workers have been attached since event `after`. Gives the position of the last event, and when it came, in
 * epoch seconds.
 */
export async function untilAttached(
  masterDir: string,
  { count, after }: { count: number; after: number },
): Promise<{ position: number; at: number }> {
  const client = openClient({ socket: controlSocket(masterDir, process.env), dir: masterDir });
  const names = new Set<string>();
  try {
    for await (const { id, event } of client.events({ after, signal: AbortSignal.timeout(LIMIT_MS) })) {
      if (event.type !== 'worker.changed') continue;
      if (event.what === 'attached') names.add(event.name);
      if (event.what === 'detached') names.delete(event.name);
      if (names.size >= count) return { position: id, at: Date.now() / 1_000 };
    }
  } finally {
    await client.close();
  }
  throw new Error(`${names.size} of ${count} workers are attached`);
}
