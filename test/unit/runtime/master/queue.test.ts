import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareWaiting } from '../../../../src/runtime/master/match.ts';
import { createWaitingRequests } from '../../../../src/runtime/master/queue.ts';

describe('the requests that wait', () => {
  it('stand in the order in which they are taken, whatever comes and goes', () => {
    const request = fc.record({
      priority: fc.integer({ min: -2, max: 2 }),
      submittedAt: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 30 }),
        fc.array(fc.nat(29), { maxLength: 30 }),
        (added, removed) => {
          const waiting = createWaitingRequests();
          const all = added.map((each, id) => ({ ...each, id }));
          for (const each of all) waiting.add(1, each);
          const gone = new Set<number>();
          for (const id of removed) {
            expect(waiting.remove(id)).toBe(id < all.length && !gone.has(id));
            gone.add(id);
          }
          const left = all.filter(({ id }) => !gone.has(id)).toSorted(compareWaiting);
          expect([...waiting.of(1)]).toEqual(left);
          expect(waiting.size).toBe(left.length);
          expect([...waiting.builders()]).toEqual(left.length === 0 ? [] : [1]);
        },
      ),
    );
  });

  it('hold a request once', () => {
    const waiting = createWaitingRequests();
    waiting.add(1, { id: 5, priority: 0, submittedAt: 1 });
    waiting.add(1, { id: 5, priority: 0, submittedAt: 1 });
    expect(waiting.of(1)).toHaveLength(1);
  });
});
