import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { STREAMS } from '../../../api/routes.ts';
import type { Channel } from '../../../build/command-port.ts';
import { resultNumber } from '../../../build/results.ts';
import { buildById, type BuildRow } from '../../../store/build-rows.ts';
import { lastEventId } from '../../../store/events.ts';
import { pieceLine } from '../../../api/log-pieces.ts';
import type { LogFiles } from '../../../store/log-files.ts';
import type { LogPiece } from '../../../store/log-files/piece.ts';
import { findLog, logWithContent } from '../../../store/logs.ts';
import { readSmallLog } from '../../../store/small-log.ts';
import { codes } from '../codes.ts';
import type { Farm } from '../events.ts';
import type { LogIntake } from '../logs.ts';
import { readEvents } from './event-stream.ts';
import { findBuild, findStepOf } from './lookup.ts';
import { createWaiter } from './waiter.ts';

/** A follower looks again so often even when nobody wakes it. */
const LOOK_MS = 1_000;

const offset = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const logQuery = z.object({
  offset: offset.default(0),
  limit: offset.optional(),
  follow: z.stringbool().default(false),
  channels: z.enum(['all', 'output']).default('all'),
  pieces: z.stringbool().default(false),
});
const eventsQuery = z.object({ after: offset.optional() });

const OUTPUT: readonly Channel[] = ['stdout', 'stderr'];

export interface StreamDeps {
  farm: Farm;
  files: LogFiles;
  logs: LogIntake;
  /** Ends every stream. */
  signal: AbortSignal;
}

/** Registers the two answers that are streams. A slow reader holds up its own stream only, and costs a buffer. */
export function registerStreams(app: FastifyInstance, deps: StreamDeps): void {
  app.get(STREAMS.log, async (request, reply) => {
    const query = parsed(logQuery, request);
    const params = request.params as { build: string; step: string; log: string };
    const { log, build } = await deps.farm.store.read(async (db) => {
      const build = await findBuild(db, params.build);
      const step = await findStepOf(db, build, params.step);
      const found = await findLog(db, step.stepid, params.log);
      const name = `${build.builder}/${build.number} ${step.name} ${params.log}`;
      if (found === undefined) throw codes['BBX-API-NOT-FOUND']({ kind: 'log', name });
      if (found.pruned) throw codes['BBX-API-PRUNED']({ name });
      return { log: found, build };
    });
    const signal = signalOf(reply, deps.signal);
    return send(reply, 'application/octet-stream', readBytes(deps, { ...log, ...build }, query, signal));
  });
  app.get(STREAMS.events, async (request, reply) => {
    const { after } = parsed(eventsQuery, request);
    const last = await deps.farm.store.read((db) => lastEventId(db));
    // A position beyond the last is of another life of the store, from before a restore.
    const from = Math.min(after ?? last, last);
    const signal = signalOf(reply, deps.signal);
    return send(reply, 'text/event-stream', readEvents(deps.farm, from, signal));
  });
}

function send(reply: FastifyReply, type: string, source: AsyncGenerator<string | Uint8Array>): FastifyReply {
  void reply.header('content-type', type).header('cache-control', 'no-store');
  return reply.send(Readable.from(source, { objectMode: false, highWaterMark: 256 * 1024 }));
}

async function* readBytes(
  { farm, files, logs }: StreamDeps,
  { logid, buildid }: { logid: number; buildid: number },
  query: z.output<typeof logQuery>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const waiter = createWaiter(signal);
  const unlisten = logs.listen(logid, waiter.wake);
  const end = query.limit === undefined ? Infinity : query.offset + query.limit;
  let from = query.offset;
  let at = 0;
  try {
    while (!signal.aborted) {
      waiter.reset();
      // Asked before the size: a log that is complete now has its last byte now.
      const row = await farm.store.read((db) => logWithContent(db, logid));
      const small = row?.content ?? undefined;
      const size = small === undefined ? (logs.sizeOf(logid) ?? (await files.size(logid))) : row!.bytes;
      const to = Math.min(size, end);
      if (to > from) {
        const range = { from, to };
        const pieces =
          small === undefined ? files.read(logid, { ...range, signal }) : readSmallLog(small, size, range);
        for await (const piece of pieces) {
          at = piece.at;
          const wanted = query.channels === 'all' || OUTPUT.includes(piece.channel);
          if (query.pieces) yield* framed(piece, wanted);
          else if (wanted) yield piece.bytes;
        }
        from = to;
      }
      if (query.pieces && row?.receipt === 'unsaid' && !row.pruned && end === Infinity) {
        const build = await farm.store.read((db) => buildById(db, buildid));
        yield pieceLine({ offset: size, at, lost: null, cause: 'worker', why: whyUnsaid(build) });
      }
      if (!query.follow || row === undefined || row.complete || row.pruned || from >= end) return;
      await waiter.wait(LOOK_MS);
    }
  } finally {
    unlisten();
  }
}

/** Why a worker has never told a log's end, as its build's end says it; that is some worker's words, perhaps. */
function whyUnsaid(build: BuildRow | undefined): string {
  const result = build?.results ?? null;
  const isMasters = result !== null && result >= resultNumber('exception');
  return isMasters ? build!.state_string.slice(0, 1_000) : 'its worker has not told its end';
}

/** A piece with its head; a hole is told whatever channels are wanted. */
function* framed(piece: LogPiece, wanted: boolean): Generator<Uint8Array> {
  const { offset, at, channel, bytes } = piece;
  if (piece.damaged === true) yield pieceLine({ offset, at, lost: bytes.length, cause: 'disk' });
  else if (wanted) {
    yield pieceLine({ offset, at, channel, bytes: bytes.length });
    yield bytes;
  }
}

/** Aborted when the reader has gone or the master stops. */
function signalOf(reply: FastifyReply, stop: AbortSignal): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort(new Error('the reader has gone')));
  return AbortSignal.any([stop, gone.signal]);
}

function parsed<Schema extends z.ZodType>(schema: Schema, request: FastifyRequest): z.output<Schema> {
  const result = schema.safeParse(request.query ?? {});
  if (result.success) return result.data;
  const problem = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw codes['BBX-API-BAD-REQUEST']({ method: 'GET', path: request.url.split('?', 1)[0]!, problem });
}
