import { createServer, type Server, type ServerOptions } from 'node:http';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import type { Log } from '../../../base/log.ts';
import { answerErrors } from './errors.ts';

/** From connection to the end of a request's head. */
const HEADERS_MS = 10_000;

/** Fastify's validators are never asked: the doors check with zod. Without these two it loads ajv and all that belongs to it at each start. */
const NO_COMPILERS = {
  buildValidator: () => () => noSchemas(),
  buildSerializer: () => () => noSchemas(),
};

export interface App {
  readonly app: FastifyInstance;
  /** Made with the app; nobody listens on it yet. */
  readonly server: Server;
}

/**
 * A Fastify application that answers errors as the API does, and the HTTP server that it handles. Fastify is loaded here, and not with the master:
 * what workers need is open first.
 */
export async function createApp(
  log: Log,
  options: Pick<FastifyServerOptions, 'bodyLimit' | 'routerOptions'> & { http?: ServerOptions },
): Promise<App> {
  const { http, ...own } = options;
  const { default: fastify } = await import('fastify');
  let server: Server | undefined;
  const app = fastify({
    ...own,
    forceCloseConnections: true,
    schemaController: { compilersFactory: NO_COMPILERS },
    serverFactory: (handler) => (server = createServer({ headersTimeout: HEADERS_MS, ...http }, handler)),
  });
  answerErrors(app, log);
  return { app, server: server! };
}

function noSchemas(): never {
  throw new TypeError('a route has a schema of its own: routes check with zod');
}
