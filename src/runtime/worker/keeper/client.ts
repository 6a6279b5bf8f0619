import type { Duplex } from 'node:stream';
import { createLine } from './line.ts';
import {
  HELLO_MS,
  KeeperLost,
  type CallName,
  type Calls,
  type KeeperCalls,
  type Notice,
} from './messages.ts';

export type Hello = Notice & { type: 'hello' };

/** The worker's end of the way to a keeper. */
export interface KeeperClient extends KeeperCalls {
  readonly hello: Hello;
  /** How long that took: it was said within this time, ms. */
  readonly helloMs: number;
  readonly lost: boolean;
  /** Bytes that the system has not taken yet. */
  readonly unsent: number;
  /** Called once when the keeper is gone without having been asked to. */
  onLost: (() => void) | undefined;
  onNotice: ((notice: Notice) => void) | undefined;
  /** Ends the keeper, with everything that it runs. */
  quit(): Promise<void>;
  /** Hangs up; the keeper goes on. */
  leave(): void;
}

/** Ending commands takes their TERM, KILL and what outlives both; who waits longer waits for a keeper that hangs. */
const QUIT_MS = 20_000;

/** When calls are sent that are not to go with the others of their turn. */
const WHEN: Partial<Record<CallName, 'later' | 'now'>> = {
  ...{ release: 'later', free: 'later', contact: 'later', room: 'later' },
  // What follows relies on it, also after this process was killed.
  hold: 'now',
};

/** Meets a keeper over a fresh connection. `wall`: what the worker's clock shows. Rejects with `KeeperLost`. */
export function meetKeeper(stream: Duplex, wall: number): Promise<KeeperClient> {
  const open = new Map<number, { resolve(answer: never): void; reject(error: Error): void }>();
  const met = Promise.withResolvers<KeeperClient>();
  const gone = Promise.withResolvers<void>();
  let nextId = 1;
  let lost = false;
  let quitting = false;
  let client: KeeperClient | undefined;
  const early: Notice[] = [];
  const begun = performance.now();
  const limit = setTimeout(() => line.close(), HELLO_MS);

  const line = createLine(stream, {
    onValue(value) {
      const { id, answer, error, notice } = value as {
        id?: number;
        answer?: never;
        error?: string;
        notice?: Notice;
      };
      if (notice?.type === 'hello') {
        clearTimeout(limit);
        met.resolve((client = makeClient(notice)));
      } else if (notice !== undefined) {
        if (client?.onNotice === undefined) early.push(notice);
        else client.onNotice(notice);
      }
      if (id === undefined) return;
      const asked = open.get(id);
      open.delete(id);
      if (error === undefined) asked?.resolve(answer as never);
      else asked?.reject(new Error(error));
    },
    onEnd() {
      clearTimeout(limit);
      lost = true;
      gone.resolve();
      const error = new KeeperLost('the keeper of the steps’ commands has ended');
      met.reject(error);
      if (!quitting) client?.onLost?.();
      for (const { reject } of open.values()) reject(error);
      open.clear();
    },
  });

  function makeClient(hello: Hello): KeeperClient {
    let onNotice: KeeperClient['onNotice'];
    const call = <Name extends CallName>(
      name: Name,
      ask: Calls[Name]['ask'],
    ): Promise<Calls[Name]['answer']> => {
      if (lost) return Promise.reject(new KeeperLost('the keeper of the steps’ commands has ended'));
      return new Promise((resolve, reject) => {
        const id = nextId;
        nextId += 1;
        open.set(id, { resolve, reject });
        line.send({ id, name, ask }, WHEN[name]);
      });
    };
    return {
      hello,
      helloMs: performance.now() - begun,
      get lost() {
        return lost;
      },
      get unsent() {
        return line.unsent;
      },
      onLost: undefined,
      get onNotice() {
        return onNotice;
      },
      set onNotice(listener) {
        onNotice = listener;
        for (const notice of early.splice(0)) listener?.(notice);
      },
      call,
      leave() {
        quitting = true;
        line.close();
      },
      async quit() {
        quitting = true;
        call('quit', {}).catch(() => undefined);
        // Its end of the line closes when its process is over, or as good as over.
        const limit = setTimeout(() => line.close(), QUIT_MS);
        await gone.promise;
        clearTimeout(limit);
      },
    };
  }
  line.send({ id: 0, name: 'attach', ask: { wall } });
  return met.promise;
}
