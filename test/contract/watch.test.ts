import { describe, expect, it } from 'vitest';
import { openClient } from '../../src/client/client.ts';
import { happenings, watchRequest, type Happening, type Snapshot } from '../../src/client/watch.ts';
import { aBuild, aRequest, aStep } from '../rigs/api-objects.ts';
import { fakeMaster } from '../rigs/fake-master.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { until } from '../rigs/wait.ts';

const running = { complete: false, results: null, result: null, complete_at: null } as const;
const waiting: Snapshot = { request: aRequest(), builds: [] };
const started: Snapshot = {
  request: aRequest({ claimed: true }),
  builds: [aBuild({ ...running, steps: [aStep({ ...running, started_at: null })] })],
};
const stepping: Snapshot = {
  request: aRequest({ claimed: true }),
  builds: [
    aBuild({ ...running, steps: [aStep(running), aStep({ ...running, number: 1, started_at: null })] }),
  ],
};
const done: Snapshot = {
  request: aRequest({ claimed: true, complete: true, results: 0, result: 'success' }),
  builds: [aBuild({ steps: [aStep(), aStep({ number: 1 })] })],
};
const types = (before: Snapshot | undefined, next: Snapshot) =>
  happenings(before, next).map(({ type }) => type);

describe('what happened between two looks', () => {
  it.each<[string, Snapshot | undefined, Snapshot, Happening['type'][]]>([
    ['a request that waits', undefined, waiting, ['request.waiting']],
    ['nothing new', waiting, waiting, []],
    ['a build', waiting, started, ['build.started']],
    ['its first step', started, stepping, ['step.started']],
    [
      'everything at once',
      undefined,
      done,
      [
        'build.started',
        'step.started',
        'step.finished',
        'step.started',
        'step.finished',
        'build.finished',
        'request.finished',
      ],
    ],
    [
      'the end',
      stepping,
      done,
      ['step.finished', 'step.started', 'step.finished', 'build.finished', 'request.finished'],
    ],
    ['nothing after the end', done, done, []],
  ])('is %s', (_, before, next, expected) => {
    expect(types(before, next)).toEqual(expected);
  });
});

describe('watching a request', () => {
  it('follows it by events, over a master that goes away and comes back, to its end', async () => {
    await using temp = await tempDir();
    let now = waiting;
    await using master = await fakeMaster(temp.path, {
      request: async () => now.request,
      build: async () => now.builds[0]!,
    });
    // What it knows of builds it takes from the request.
    for (const snapshot of [started, stepping, done]) {
      snapshot.request.builds = [{ buildid: 1, number: 12, result: null }];
    }
    await using client = openClient({ socket: master.socket, dir: master.dir });
    const seen: string[] = [];
    const watched = (async () => {
      const signal = AbortSignal.timeout(14_000);
      for await (const { type } of watchRequest(client, 17, { signal })) seen.push(type);
    })();
    const event = { buildid: 1, builder: 'app', number: 12, worker: 'w1', buildrequestid: 17 };

    await until('the first look', () => seen.includes('request.waiting') && master.asked.length > 0);
    now = started;
    master.emit({ type: 'build.started', ...event });
    await until('the build', () => seen.includes('build.started'));
    await master.stop();
    now = stepping;
    await until('the loss', () => seen.includes('link.lost'), 8_000);
    await master.start();
    await until('the step', () => seen.includes('step.started'));
    now = done;
    master.emit({ type: 'build.finished', ...event, results: 0 });
    await watched;

    expect(seen).toEqual([
      'request.waiting',
      'build.started',
      'link.lost',
      'link.back',
      'step.started',
      'step.finished',
      'step.started',
      'step.finished',
      'build.finished',
      'request.finished',
    ]);
  });

  it('ends with the error that is not about the way to the master', async () => {
    await using temp = await tempDir();
    await using master = await fakeMaster(temp.path, {});
    await using client = openClient({ socket: master.socket, dir: master.dir });
    const watched = watchRequest(client, 17, { signal: AbortSignal.timeout(5_000) });
    await expect(watched.next()).rejects.toMatchObject({ code: 'BBX-API-FAULT', exit: 70 });
  });
});
