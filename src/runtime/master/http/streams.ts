import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { STREAMS } from '../../../api/routes.ts';
import { lastEventId } from '../../../store/events.ts';
import type { LogFiles } from '../../../store/log-files.ts';
import { findLog } from '../../../store/logs.ts';
import { codes } from '../codes.ts';
import type { Farm } from '../events.ts';
import type { LogIntake } from '../logs.ts';
import { readEvents } from './event-stream.ts';
import { readLog } from './log-stream.ts';
import { findBuild, findStepOf } from './lookup.ts';

const offset = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const logQuery = z.object({
  offset: offset.default(0),
  limit: offset.optional(),
  follow: z.stringbool().default(false),
  channels: z.enum(['all', 'output']).default('all'),
  pieces: z.stringbool().default(false),
});
const eventsQuery = z.object({ after: offset.optional() });

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
    return send(reply, 'application/octet-stream', readLog(deps, { ...log, ...build }, query, signal));
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
