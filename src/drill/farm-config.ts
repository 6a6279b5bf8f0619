import { join } from 'node:path';
import { stringify } from 'yaml';
import { BUILDERS, SOURCE_BUILDERS, wordsOf } from './builders.ts';
import { ORIGIN } from './origin.ts';

/** What differs between the farms of a drill, and from round to round. */
export interface FarmWords {
  /** The sandbox: script, traces. */
  dir: string;
  /** Where the master listens. */
  listen: string;
  workers: readonly string[];
  /** `lostWorkerGrace`. */
  grace: string;
  store: string;
  /** Changes with each reload, so that there is something to apply. */
  reload: number;
  /** Newest commit of the repository that is checked out. */
  revision: string;
}

/**
 * Workers learn from their master how else it can be reached, and would go round their relay then: nothing listens on the port of `discard`.
 */
const NOWHERE = 'localhost:9';

/** Name of the one secret, in the configuration and in the environment of the step that prints it. */
export const SECRET = 'SECRET';

/** `master.yaml` of a drill's farm. */
export function masterYaml(words: FarmWords): string {
  const { dir, listen, workers, grace, store, reload } = words;
  const talk = join(dir, 'talk.sh');
  const builders = Object.entries(BUILDERS).map(([name, { steps }]) => [
    name,
    {
      workers: { tags: ['drill'] },
      env: { BUILD: '${{ builder }}-${{ number }}', RELOAD: String(reload) },
      ...(SOURCE_BUILDERS.has(name) ? { repository: ORIGIN } : {}),
      steps: steps.map((step, index) =>
        step.kind === 'git'
          ? { name: `s${index}`, git: { mode: step.mode } }
          : {
              name: `s${index}`,
              run: ['sh', talk, dir, ...wordsOf(step)],
              env: {
                STEP: String(index),
                ...(step.secret === true ? { SECRET: { secret: SECRET } } : {}),
                ...(step.checks === true ? { SOURCE: words.revision } : {}),
              },
            },
      ),
    },
  ]);
  return stringify({
    title: `drill ${reload}`,
    listen: { workers: listen, web: [] },
    reach: [NOWHERE],
    store,
    lostWorkerGrace: grace,
    secrets: { [SECRET]: { file: 'secrets/drill' } },
    // Nobody pushes there.
    repositories: { [ORIGIN]: { git: join(dir, ORIGIN), poll: 'off' } },
    workers: Object.fromEntries(workers.map((name) => [name, { tags: ['drill'] }])),
    builders: Object.fromEntries(builders),
  });
}
