import type { BuildPlan } from '../../../src/build/plan.ts';
import type { Result } from '../../../src/build/results.ts';
import { findBuilder, syncBuilders } from '../../../src/store/builders.ts';
import { claimRequest, finishRequest } from '../../../src/store/buildrequests.ts';
import { submitBuildset } from '../../../src/store/buildsets.ts';
import { finishBuild, startBuild } from '../../../src/store/builds.ts';
import { addChange } from '../../../src/store/changes.ts';
import type { NewChange } from '../../../src/store/changes.ts';
import type { Store } from '../../../src/store/store.ts';
import { upsertWorker } from '../../../src/store/workers.ts';

export interface MadeBuild {
  buildid: number;
  number: number;
  token: string;
  plan: BuildPlan;
  request: number;
}

/** Rows of a small farm, made as the master makes them. */
export function farmRows(store: Store) {
  const ensureBuilder = async (name: string): Promise<number> => {
    const known = await store.read((db) => findBuilder(db, name));
    if (known !== undefined) return known.builderid;
    await store.write((tx) => syncBuilders(tx, [name]));
    return ensureBuilder(name);
  };

  const requests = async (
    builders: readonly string[],
    options: { priority?: number; now?: number } = {},
  ): Promise<[number, number]> => {
    const builderids: number[] = [];
    for (const name of builders) builderids.push(await ensureBuilder(name));
    const submitted = await store.write((tx) =>
      submitBuildset(tx, {
        reason: 'because',
        scheduler: null,
        repository: 'https://r.example/x',
        branch: 'main',
        revision: null,
        properties: { p: 1 },
        changeids: [],
        builderids,
        priority: options.priority ?? 0,
        now: options.now ?? 1,
      }),
    );
    return submitted.requests.map((row) => row.buildrequestid) as [number, number];
  };

  const request = async (builder: string, options: { priority?: number; now?: number } = {}) =>
    (await requests([builder], options))[0];

  return {
    requests,
    request,
    /** Makes exactly these builders active; gives their ids. */
    async builders(...names: string[]): Promise<number[]> {
      await store.write((tx) => syncBuilders(tx, names));
      const ids: number[] = [];
      for (const name of names) ids.push(await ensureBuilder(name));
      return ids;
    },
    change: (change: Partial<NewChange>): Promise<number> =>
      store.write((tx) =>
        addChange(tx, {
          repository: 'https://r.example/x',
          branch: 'main',
          revision: '1'.repeat(40),
          author: 'A U Thor <a@example.org>',
          comments: 'says why',
          files: ['a.c', 'b/ü.c'],
          when_timestamp: 1.5,
          received_at: 2.5,
          properties: { n: 1, t: true, none: null },
          ...change,
        }),
      ),
    /** A build that runs on `w1`. */
    async build(builder: string, now = 10): Promise<MadeBuild> {
      const builderid = await ensureBuilder(builder);
      const buildrequestid = await request(builder);
      return store.write(async (tx) => {
        const workerid = await upsertWorker(tx, { name: 'w1', state: 'approved', now: 1 });
        if (!(await claimRequest(tx, buildrequestid, now))) throw new Error('somebody else claimed it');
        const build = await startBuild(tx, {
          builderid,
          buildrequestid,
          workerid,
          attempt: 1,
          orphanAfter: 15,
          plan: (number) => ({ builder, number, builddir: builder, env: {}, properties: {}, steps: [] }),
          properties: { p: 1 },
          now,
        });
        return { ...build, request: buildrequestid };
      });
    },
    finish: (build: MadeBuild, result: Result, at: number) =>
      store.write(async (tx) => {
        await finishBuild(tx, build.buildid, { result, state: result, at });
        await finishRequest(tx, build.request, result, at);
      }),
  };
}
