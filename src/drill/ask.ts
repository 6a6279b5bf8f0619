import { sleep } from '../base/abort.ts';
import { BbxError } from '../base/error.ts';
import type { Ask } from './plan.ts';
import type { Sandbox } from './sandbox.ts';

/** What was asked for in a round, to be compared with what came of it. */
export interface Asked {
  /** Requests whose submission was answered. */
  requests: Set<number>;
  /** Requests that somebody wanted cancelled, whatever came of it. */
  cancelled: Set<number>;
}

/** A request is asked for again when the master is away, so long, ms. */
const ASK_MS = 120_000;
const ASK_AGAIN_MS = 100;

/** Asks for one build, as often as it takes, and has it cancelled when that is planned. */
export async function askFor(farm: Sandbox, ask: Ask, asked: Asked, signal: AbortSignal): Promise<void> {
  await sleep(ask.afterMs, signal);
  const { buildrequestid: id } = await insist(signal, () =>
    farm.client.call(
      'startBuild',
      { body: { builder: ask.builder, reason: 'drill' } },
      { signal, timeoutMs: 5_000 },
    ),
  );
  asked.requests.add(id);
  if (ask.cancelAfterMs === undefined) return;
  await sleep(ask.cancelAfterMs, signal);
  asked.cancelled.add(id);
  const input = { params: { request: `r${id}` }, body: { reason: 'drill' } };
  await insist(signal, () => farm.client.call('cancelRequest', input, { signal, timeoutMs: 5_000 })).catch(
    (error: unknown) => {
      // One that has ended meanwhile cannot be cancelled any more.
      signal.throwIfAborted();
      if (!(error instanceof BbxError)) throw error;
    },
  );
}

/** Asks for builds that print a lot, beside those of the round; a master in need may refuse them. */
export async function askForMore(farm: Sandbox, reason: string, signal: AbortSignal): Promise<void> {
  for (const builder of ['burst', 'burst', 'steady', 'quick']) {
    const body = { builder, reason };
    await farm.client.call('startBuild', { body }, { signal, timeoutMs: 2_000 }).catch((error: unknown) => {
      signal.throwIfAborted();
      if (!(error instanceof BbxError)) throw error;
    });
  }
}

/** Calls until a master answers; a call that a dying one did not answer may have been heard all the same. */
async function insist<Answer>(signal: AbortSignal, call: () => Promise<Answer>): Promise<Answer> {
  const end = performance.now() + ASK_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BbxError) || !(error.retryable || isAway(error)) || performance.now() > end)
        throw error;
      await sleep(ASK_AGAIN_MS, signal);
    }
  }
}

const isAway = ({ code }: BbxError) =>
  code === 'BBX-API-UNREACHABLE' || code === 'BBX-API-CONNECTION' || code === 'BBX-API-SILENT';
