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
  const told = await Promise.all([...ids].map((id) => tellOne(farm, id, signal)));
  const found = told.filter((one) => one !== undefined);
  return {
    requests: found.map(({ request }) => request),
    builds: new Map(found.map(({ request, builds }) => [request.buildrequestid, builds])),
  };
}

async function tellOne(
  { client }: Sandbox,
  id: number,
  signal: AbortSignal,
): Promise<{ request: RequestObject; builds: BuildObject[] } | undefined> {
  const request = await client
    .call('request', { params: { request: `r${id}` } }, { signal })
    .catch((error: unknown) => {
      // One that is lost is told by its absence.
      if (error instanceof BbxError && !error.retryable) return undefined;
      throw error;
    });
  if (request === undefined) return undefined;
  const calls = request.builds.map(({ buildid }) =>
    client.call('build', { params: { build: String(buildid) } }, { signal }),
  );
  return { request, builds: await Promise.all(calls) };
}
