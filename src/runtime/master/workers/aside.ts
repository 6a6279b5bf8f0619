import type { Log } from '../../../base/log.ts';
import type { MessageOf, WorkerMessage } from '../../../protocol/bbx/messages.ts';
import type { Emit } from '../events.ts';
import type { Worker } from './roster.ts';

type Aside = NonNullable<MessageOf<WorkerMessage, 'inventory'>['aside']>;

/** Builds of the store's other life at a worker: each is told once, and what was told is given, to be kept with the worker's row. */
export function tellAside(worker: Worker, aside: Aside, emit: Emit, say: Log): string[] {
  return aside.map(({ build, epoch, name }) => {
    const key = `${epoch}:${build}`;
    if (worker.aside?.has(key) !== true) {
      emit({ type: 'build.aside', worker: worker.name, build: name, epoch });
      say.warn(`Worker "${worker.name}" set aside build ${name} of the store's other life`, { epoch, build });
    }
    return key;
  });
}
