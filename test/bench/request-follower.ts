import { openClient, type Client } from '../../src/client/client.ts';
import { controlSocket } from '../../src/config/layout.ts';
import type { Farm } from '../rigs/farm.ts';

/** A request that has not ended after this never will. */
const LIMIT_MS = 300_000;

/** Knows when requests end, by one event stream that is open all the time: asking again and again would be measured too. */
export interface RequestFollower extends AsyncDisposable {
  readonly client: Client;
  /** Starts a build and resolves with the epoch seconds at which its `request.finished` arrived: everything of it is stored by then. */
  build(builder: string): Promise<number>;
  /** Resolves with the epoch seconds at which a request's end arrived, or had arrived. */
  finished(buildrequestid: number): Promise<number>;
}

/** `after`: the event before the first that counts; on a farm with a long past its events are not to be measured. */
export function followRequests(farm: Farm, after = 0): RequestFollower {
  const client = openClient({ socket: controlSocket(farm.masterDir, process.env), dir: farm.masterDir });
  const stop = new AbortController();
  const ends = new Map<number, number>();
  const waiting = new Map<number, (at: number) => void>();
  const reading = (async () => {
    for await (const { event } of client.events({ after, signal: stop.signal })) {
      if (event.type !== 'request.finished') continue;
      const at = Date.now() / 1000;
      ends.set(event.buildrequestid, at);
      waiting.get(event.buildrequestid)?.(at);
      waiting.delete(event.buildrequestid);
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  function finished(buildrequestid: number): Promise<number> {
    const at = ends.get(buildrequestid);
    if (at !== undefined) return Promise.resolve(at);
    return new Promise((resolve, reject) => {
      const words = `request ${buildrequestid} has not ended after ${LIMIT_MS / 1000} s`;
      const timer = setTimeout(() => reject(new Error(words)), LIMIT_MS);
      waiting.set(buildrequestid, (at) => {
        clearTimeout(timer);
        resolve(at);
      });
    });
  }
  return {
    client,
    finished,
    async build(builder) {
      const { buildrequestid } = await client.call('startBuild', { body: { builder } });
      return finished(buildrequestid);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
      await client.close();
    },
  };
}
