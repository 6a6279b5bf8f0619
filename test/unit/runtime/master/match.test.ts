import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  match,
  refusal,
  STARVED_AFTER_S,
  type Candidate,
  type Queue,
} from '../../../../src/runtime/master/match.ts';

const NOW = 100_000;

function worker(name: string, over: Partial<Candidate> = {}): Candidate {
  return {
    name,
    state: 'approved',
    connected: true,
    seenAt: NOW,
    paused: false,
    draining: false,
    resting: false,
    refusedWhy: null,
    tags: [],
    maxBuilds: 1,
    building: new Set(),
    ...over,
  };
}

/** `waiting` as [id, submittedAt, priority?]. */
function queue(
  builder: string,
  waiting: [number, number, number?][],
  wants: Partial<Queue['wants']> = {},
  lastStartedAt: number | null = NOW,
): Queue {
  return {
    builder,
    wants: { tags: [], names: [], ...wants },
    waiting: waiting.map(([id, submittedAt, priority = 0]) => ({ id, submittedAt, priority })),
    lastStartedAt,
  };
}

const pairs = (queues: Queue[], workers: Candidate[]) =>
  match(queues, workers, NOW).map(({ request, worker: name }) => `${request}@${name}`);

describe('match', () => {
  it.each<[string, Queue[], Candidate[], string[]]>([
    ['gives nothing without workers', [queue('a', [[1, 10]])], [], []],
    ['gives nothing without requests', [queue('a', [])], [worker('w')], []],
    ['takes the older request first', [queue('a', [[2, 20]]), queue('b', [[1, 10]])], [worker('w')], ['1@w']],
    [
      'takes the higher priority before the older',
      [queue('a', [[1, 10]]), queue('b', [[2, 20, 5]])],
      [worker('w')],
      ['2@w'],
    ],
    [
      'lets a builder that no worker fits hold nobody up',
      [queue('a', [[1, 10, 9]], { tags: ['mac'] }), queue('b', [[2, 20]])],
      [worker('w', { tags: ['linux'] })],
      ['2@w'],
    ],
    [
      'wants every tag',
      [queue('a', [[1, 10]], { tags: ['linux', 'x64'] })],
      [worker('w1', { tags: ['linux'] }), worker('w2', { tags: ['x64', 'linux', 'big'] })],
      ['1@w2'],
    ],
    [
      'wants one of the names',
      [queue('a', [[1, 10]], { names: ['w2', 'w3'] })],
      [worker('w1'), worker('w3')],
      ['1@w3'],
    ],
    [
      'runs one build of a builder at a time on a worker',
      [
        queue('a', [
          [1, 10],
          [2, 11],
        ]),
      ],
      [worker('w', { maxBuilds: 4 })],
      ['1@w'],
    ],
    [
      'runs several builds of a builder on several workers',
      [
        queue('a', [
          [1, 10],
          [2, 11],
        ]),
      ],
      [worker('w1'), worker('w2')],
      ['1@w1', '2@w2'],
    ],
    [
      'keeps to maxBuilds',
      [queue('a', [[1, 10]]), queue('b', [[2, 11]]), queue('c', [[3, 12]])],
      [worker('w', { maxBuilds: 2 })],
      ['1@w', '2@w'],
    ],
    [
      'counts what runs already',
      [queue('a', [[1, 10]])],
      [
        worker('w1', { maxBuilds: 2, building: new Set(['x', 'y']) }),
        worker('w2', { maxBuilds: 2, building: new Set(['x']) }),
      ],
      ['1@w2'],
    ],
    [
      'prefers the least busy worker by its share of places',
      [queue('a', [[1, 10]])],
      [
        worker('small', { maxBuilds: 2, building: new Set(['x']) }),
        worker('big', { maxBuilds: 8, building: new Set(['x', 'y']) }),
      ],
      ['1@big'],
    ],
    [
      'leaves the worker that another builder needs to that builder',
      [queue('a', [[1, 10]]), queue('b', [[2, 11]], { tags: ['gpu'] })],
      [worker('w1', { tags: ['gpu'] }), worker('w2')],
      ['1@w2', '2@w1'],
    ],
    [
      'gives a starved builder one turn before urgent work, not two',
      [
        queue(
          'slow',
          [
            [1, NOW - STARVED_AFTER_S - 1],
            [2, NOW - STARVED_AFTER_S - 1],
          ],
          {},
          null,
        ),
        queue('hot', [
          [3, NOW - 1, 9],
          [4, NOW - 1, 9],
        ]),
      ],
      [worker('w1'), worker('w2')],
      ['1@w1', '3@w2'],
    ],
    ...(['paused', 'draining', 'resting'] as const).map((flag): [string, Queue[], Candidate[], string[]] => [
      `leaves a worker alone that is ${flag}`,
      [queue('a', [[1, 10]])],
      [worker('w', { [flag]: true })],
      [],
    ]),
    [
      'leaves a worker alone that waits for approval',
      [queue('a', [[1, 10]])],
      [worker('w', { state: 'pending' })],
      [],
    ],
    ['leaves a worker alone that is gone', [queue('a', [[1, 10]])], [worker('w', { connected: false })], []],
  ])('%s', (_, queues, workers, expected) => {
    expect(pairs(queues, workers)).toEqual(expected);
  });

  it('never overfills a worker, never pairs a request twice, and leaves no request that a free worker could take', () => {
    const tags = ['linux', 'mac', 'gpu'];
    const aWorker = fc.record({
      tags: fc.subarray(tags),
      maxBuilds: fc.integer({ min: 1, max: 3 }),
      paused: fc.boolean(),
      building: fc.subarray(['b0', 'b1', 'b2']),
    });
    const aQueue = fc.record({
      tags: fc.subarray(tags),
      count: fc.integer({ min: 0, max: 4 }),
      priority: fc.nat(3),
    });
    fc.assert(
      fc.property(
        fc.array(aWorker, { maxLength: 5 }),
        fc.array(aQueue, { maxLength: 5 }),
        (workers, queues) => {
          const roster = workers.map((w, index) =>
            worker(`w${index}`, { ...w, building: new Set(w.building) }),
          );
          let id = 0;
          const all = queues.map(({ count, priority, tags: wants }, index) =>
            queue(
              `b${index}`,
              Array.from({ length: count }, () => [(id += 1), id, priority]),
              { tags: wants },
            ),
          );
          const found = match(all, roster, NOW);
          expect(new Set(found.map(({ request }) => request)).size).toBe(found.length);
          const after = new Map(roster.map((w) => [w.name, [...w.building]]));
          for (const { builder, worker: name } of found) after.get(name)!.push(builder);
          for (const w of roster) {
            const running = after.get(w.name)!;
            expect(running.length).toBeLessThanOrEqual(Math.max(w.maxBuilds, w.building.size));
            expect(new Set(running).size).toBe(running.length);
          }
          const taken = new Set(found.map(({ request }) => request));
          for (const q of all) {
            if (q.waiting.every((request) => taken.has(request.id))) continue;
            const free = roster.filter(
              (w) =>
                refusal(w) === undefined &&
                q.wants.tags.every((tag) => w.tags.includes(tag)) &&
                !after.get(w.name)!.includes(q.builder) &&
                after.get(w.name)!.length < w.maxBuilds,
            );
            expect(free).toEqual([]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('looks only at the heads of long queues', () => {
    const long = queue(
      'a',
      Array.from({ length: 10_000 }, (_, index): [number, number] => [index, index]),
    );
    const started = performance.now();
    for (let round = 0; round < 500; round += 1) match([long], [worker('w')], NOW);
    // 500 rounds over 10,000 requests each take seconds when every request is looked at; generous for a busy machine.
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
