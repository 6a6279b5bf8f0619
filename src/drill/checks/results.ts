import type { BuildObject, RequestObject } from '../../api/objects.ts';
import { BUILDERS } from '../builders.ts';
import type { Mercy } from '../fault.ts';

/** What a round may have done to the builds of some workers. */
export interface Allowed {
  mercy: Mercy;
  hit: readonly string[];
  /** Requests that somebody wanted cancelled, whatever came of it. */
  cancelled: ReadonlySet<number>;
}

/** Whether a request came to an end that it may have. */
export interface Verdict {
  wrong: string[];
  /** It never ended, or not as it must. */
  lost: boolean;
}

/** What is wrong with a request and its builds, oldest first. */
export function checkRequest(
  request: RequestObject,
  builds: readonly BuildObject[],
  { mercy, hit, cancelled }: Allowed,
): Verdict {
  const wrong: string[] = [];
  const name = `request ${request.buildrequestid} (${request.builder})`;
  const hurt = builds.some(({ worker }) => hit.includes(worker));
  const wasCancelled = cancelled.has(request.buildrequestid);
  const results = new Set<string | null>([BUILDERS[request.builder]?.result ?? 'success']);
  if (wasCancelled) results.add('cancelled');
  // Three lost workers end a request, too.
  if (hurt && (mercy === 'interrupted' || (mercy === 'givenUp' && builds.length >= 3)))
    results.add('exception');
  const lost = !request.complete || !results.has(request.result);
  if (!request.complete) wrong.push(`${name} is not complete`);
  else if (lost) wrong.push(`${name} ended as ${request.result}`);

  const last = builds.at(-1);
  if (last === undefined && request.result !== 'cancelled') wrong.push(`${name} was never built`);
  // A request that waited for another attempt may be cancelled without one.
  const gaveUp = request.result === 'cancelled' && last?.result === 'retry';
  // The last of three lost ones is given up like the others.
  const lostThrice = request.result === 'exception' && last?.result === 'retry' && builds.length >= 3;
  if (last !== undefined && last.result !== request.result && !gaveUp && !lostThrice)
    wrong.push(`${name} ended as ${request.result}, its last build as ${last.result}`);

  for (const build of builds) {
    const title = `${build.builder}/${build.number}`;
    if (!build.complete) wrong.push(`${title} is not complete`);
    for (const step of build.steps ?? []) {
      if (!step.complete) wrong.push(`${title} step ${step.number} is not complete`);
      for (const log of step.logs)
        if (!log.complete) wrong.push(`${title} ${step.name}: its log is not complete`);
    }
  }
  for (const build of builds.slice(0, -1)) {
    const title = `${build.builder}/${build.number}`;
    if (build.result !== 'retry')
      wrong.push(`${name}: ${title} ended as ${build.result} and is not the last`);
    const begun = (build.steps?.length ?? 0) > 0;
    if (begun && !(mercy !== 'untouched' && hit.includes(build.worker)))
      wrong.push(`${name}: ${title} on ${build.worker} had begun and was given up: ${build.state_string}`);
  }
  return { wrong, lost };
}
