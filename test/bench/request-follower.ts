import { openClient, type Client } from '../../src/client/client.ts';
import { controlSocket } from '../../src/config/layout.ts';
import type { Farm } from '../rigs/farm.ts';

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
  let tell = () => undefined as void;
  const reading = (async () => {
    for await (const { event } of client.events({ after, signal: stop.signal })) {
      if (event.type !== 'request.finished') continue;
      ends.set(event.buildrequestid, Date.now() / 1000);
      tell();
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  async function finished(buildrequestid: number): Promise<number> {
    for (;;) {
      const at = ends.get(buildrequestid);
      if (at !== undefined) return at;
      await new Promise<void>((resolve) => (tell = resolve));
    }
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
