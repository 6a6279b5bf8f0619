import { resultNumber, type Result } from '../../build/results.ts';
import { cancelRequest, finishRequest, unclaimRequest } from '../../store/buildrequests.ts';
import { finishBuild, type BuildEnd } from '../../store/builds.ts';
import type { Tx } from '../../store/database.ts';
import { finishOpenSteps } from '../../store/steps.ts';
import type { Emit } from './events.ts';
import type { Running } from './running.ts';

/** After so many tries that ended without a result of their own a request is not tried again. */
const MOST_TRIES = 3;

/** How a build ended. `again`: it says nothing about the sources (a lost worker), so its request is tried again. */
export interface Ending {
  result: Result;
  state: string;
  at: number;
  again: 'counted' | 'uncounted' | false;
}

/** What became of the build and of its request. */
export interface Ended {
  result: Result;
  /** The request waits again. */
  requeued: boolean;
}

/** The end as its row says it: a master that was started anew may have another idea of the time than its rows. */
export function endOf(build: Running, { result, state, at }: Ending): BuildEnd {
  return { result, state, at: Math.max(at, build.lastAt) };
}

/**
 * Ends a build, its open steps and its request, as rows and events of one transaction. A build that somebody cancelled is not tried
 * again; the third try without a result ends build and request as `exception`. Undefined when it was complete before.
 */
export async function endBuild(
  tx: Tx,
  emit: Emit,
  build: Running,
  ending: Ending,
): Promise<Ended | undefined> {
  const { buildid, requestid } = build;
  const { at } = endOf(build, ending);
  let { result, state } = ending;
  let requeued = false;
  if (ending.again !== false && build.cancelReason !== null) {
    result = 'cancelled';
    state = `cancelled: ${build.cancelReason}`;
  } else if (ending.again !== false) {
    const tries = await unclaimRequest(tx, requestid, { count: ending.again === 'counted' });
    requeued = tries !== undefined && tries < MOST_TRIES;
    if (!requeued) {
      result = 'exception';
      state = `${state}; ${tries ?? 0} tries ended without a result, it is not tried again`;
    }
  }
  if (!(await finishBuild(tx, buildid, { result, state, at }))) return undefined;
  await finishOpenSteps(tx, buildid, { result, state, at });
  return tellEnd(tx, emit, build, { result, at }, requeued);
}

/** What follows once the rows of a build say that it has ended: its event, and the end of its request unless that waits again. */
export async function tellEnd(
  tx: Tx,
  emit: Emit,
  { buildid, requestid, builder, number }: Running,
  { result, at }: Pick<BuildEnd, 'result' | 'at'>,
  requeued = false,
): Promise<Ended> {
  emit({
    type: 'build.finished',
    buildid,
    builder,
    number,
    results: resultNumber(result),
    buildrequestid: requestid,
  });
  if (!requeued) await endRequest(tx, emit, { buildrequestid: requestid, builder }, result, at);
  return { result, requeued };
}

/** Ends a request with its build's result. */
async function endRequest(
  tx: Tx,
  emit: Emit,
  request: { buildrequestid: number; builder: string },
  result: Result,
  at: number,
): Promise<void> {
  const finished = await finishRequest(tx, request.buildrequestid, result, at);
  if (finished !== undefined) emit({ type: 'request.finished', ...request, results: resultNumber(result) });
}

/** Ends a request that waits. False when it does not wait. */
export async function endWaitingRequest(
  tx: Tx,
  emit: Emit,
  request: { buildrequestid: number; builder: string },
  end: { reason: string; at: number },
): Promise<boolean> {
  const finished = await cancelRequest(tx, request.buildrequestid, end);
  if (finished === undefined) return false;
  emit({ type: 'request.finished', ...request, results: resultNumber('cancelled') });
  return true;
}
