import { BbxError } from '../base/error.ts';
import type { BuildObject, RequestObject } from '../api/objects.ts';
import type { Asked } from './ask.ts';
import type { Sandbox } from './sandbox.ts';

/** Requests and builds of a round: those that were asked for, and those whose submission was heard. */
export async function tell(
  farm: Sandbox,
  asked: Asked,
  heard: Sandbox['watcher']['heard'],
  signal: AbortSignal,
): Promise<{ requests: RequestObject[]; builds: Map<number, BuildObject[]> }> {
  const ids = new Set(asked.requests);
  for (const { event } of heard) if (event.type === 'request.submitted') ids.add(event.buildrequestid);
  const requests: RequestObject[] = [];
  const builds = new Map<number, BuildObject[]>();
  for (const id of ids) {
    const found = await farm.client
      .call('request', { params: { request: `r${id}` } }, { signal })
      .catch((error: unknown) => {
        // One that is lost is told by its absence.
        if (error instanceof BbxError && !error.retryable) return undefined;
        throw error;
      });
    if (found === undefined) continue;
    requests.push(found);
    const own: BuildObject[] = [];
    for (const { buildid } of found.builds)
      own.push(await farm.client.call('build', { params: { build: String(buildid) } }, { signal }));
    builds.set(id, own);
  }
  return { requests, builds };
}
