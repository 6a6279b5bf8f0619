import { describe, expect, it } from 'vitest';
import { sleep } from '../../../src/base/abort.ts';
import type { NumberedEvent } from '../../../src/client/events.ts';
import type { Client } from '../../../src/client/client.ts';
import { compareEvents } from '../../../src/drill/checks/close.ts';
import type { Heard } from '../../../src/drill/watcher.ts';

const event = (id: number): NumberedEvent => ({
  id,
  event: { type: 'request.submitted', buildrequestid: id, builder: 'quick' },
});
const heard = (...ids: number[]): Heard[] => ids.map((id) => ({ ...event(id), at: 0 }));

/** A master that tells these events, then waits, and a watcher that has heard `watched` so far; `meanwhile` happens once all are told. */
function farm(told: readonly number[], watched: Heard[], meanwhile: () => void = () => undefined) {
  async function* events({ signal }: { signal: AbortSignal }): AsyncGenerator<NumberedEvent> {
    for (const id of told) yield event(id);
    meanwhile();
    await sleep(60_000, signal).catch(() => undefined);
  }
  const client = { events } as unknown as Client;
  return { client, watcher: { heard: watched, broken: undefined, [Symbol.asyncDispose]: async () => {} } };
}
const never = new AbortController().signal;

describe('what a watcher heard, beside what a master tells at the end', () => {
  it('is waited for, also where the watcher has heard nothing yet', async () => {
    const watched: Heard[] = [];
    const late = farm([1, 2, 3], watched, () => void setTimeout(() => watched.push(...heard(1, 2, 3)), 120));
    expect(await compareEvents(late, never, 5_000)).toEqual([]);
  });

  it.each<[string, number[], Heard[], RegExp]>([
    ['was not heard', [1, 2, 3, 4], heard(1, 3), /heard 2 events, there are 4: it did not hear 2, 4$/],
    ['is not told any more', [1, 3], heard(1, 2, 3), /the master does not tell 2 any more$/],
    ['was heard twice', [1, 2], heard(1, 2, 2), /in another order, or some twice$/],
    ['is nothing at all', [], [], /tells no events at all/],
  ])('is wrong when something %s', async (_, told, watched, words) => {
    const wrong = await compareEvents(farm(told, watched), never, 50);
    expect(wrong).toEqual([expect.stringMatching(words)]);
  });

  it('is not waited for once the drill is interrupted', async () => {
    const over = AbortSignal.abort(new Error('interrupted'));
    await expect(compareEvents(farm([1], []), over, 60_000)).rejects.toThrow('interrupted');
  });
});
