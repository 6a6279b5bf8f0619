import type { FastifyInstance, FastifyRequest } from 'fastify';
import { httpStatusOf } from '../../../api/error-answer.ts';
import { BbxError } from '../../../base/error.ts';
import type { Log } from '../../../base/log.ts';
import { codes } from '../codes.ts';

/** Answers every error with its row's words and the status of its exit code; a fault of bbx shows its stack in the log only. */
export function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler(async (error, request, reply) => {
    const known = namedError(error, request, log);
    await reply.code(httpStatusOf(known.exit)).send({ error: known.toJSON() });
  });
  app.setNotFoundHandler(async (request, reply) => {
    const known = codes['BBX-API-NOT-FOUND']({ kind: 'path', name: `${request.method} ${pathOf(request)}` });
    await reply.code(httpStatusOf(known.exit)).send({ error: known.toJSON() });
  });
}

/** The named error for anything that a handler or fastify itself threw. */
function namedError(error: unknown, request: FastifyRequest, log: Log): BbxError {
  if (error instanceof BbxError) return error;
  const where = { method: request.method, path: pathOf(request) };
  const status = (error as { statusCode?: unknown }).statusCode;
  // Fastify's own: a body that is not JSON, too large, or of another content type.
  if (typeof status === 'number' && status >= 400 && status < 500) {
    const problem = error instanceof Error ? error.message : String(error);
    return codes['BBX-API-BAD-REQUEST']({ ...where, problem }, { cause: error });
  }
  log.error('A call met a fault', { ...where, stack: error instanceof Error ? error.stack : String(error) });
  return codes['BBX-API-FAULT'](where, { cause: error });
}

/** The path without its query: what is asked for may be long. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0]!.slice(0, 200);
}
