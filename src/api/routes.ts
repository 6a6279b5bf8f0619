import * as z from 'zod';
import { propertyValue } from '../build/plan.ts';
import {
  builderObject,
  buildObject,
  changeObject,
  requestObject,
  statusObject,
  stepObject,
  whyObject,
  workerObject,
} from './objects.ts';
import { pathObject, placesObject, workerPlaces } from './path.ts';

/**
 * Every route of `/api/v2`, once: the master registers them from this table, the client calls them by name. `params` stand in the path
 * as `:name`. Errors answer `{error: {code, message, hint?, retryable}}` with the HTTP status of the row's exit code.
 */
export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: z.ZodType;
  body?: z.ZodType;
  answer: z.ZodType;
}

const page = {
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
  offset: z.coerce.number().int().min(0).default(0),
};

/** As git prints it with `rev-parse`, of SHA-1 or SHA-256; one that is cut short cannot be asked of a server. */
const revision = z
  .string()
  .regex(
    /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/,
    'a revision is a full commit id, 40 or 64 hex digits (git rev-parse HEAD)',
  );

export const startBuild = z
  .object({
    builder: z.string(),
    branch: z.string().optional(),
    revision: revision.optional(),
    reason: z.string().max(1_000).default('forced'),
    priority: z.number().int().default(0),
    properties: z.record(z.string(), propertyValue).default({}),
  })
  .strict();

export const sendChange = z
  .object({
    repository: z.string(),
    branch: z.string(),
    revision,
    author: z.string().default(''),
    comments: z.string().default(''),
    files: z.array(z.string()).default([]),
    when: z.number().optional(),
    properties: z.record(z.string(), propertyValue).default({}),
  })
  .strict();

export const addWorker = z
  .object({
    /** One name, or a pattern with `*` when `uses` is over 1. */
    names: z.string().min(1).max(100),
    uses: z.number().int().min(1).max(100_000).default(1),
    expiresMs: z.number().int().positive(),
    /** Make a new secret although an unused one is still good. */
    renew: z.boolean().default(false),
  })
  .strict();

const reason = z.object({ reason: z.string().max(1_000).default('') }).strict();

/** A BUILD of the command line in a path: `builder/12`, percent-encoded, an id, or `builder` for its newest. */
export const routes = {
  status: { method: 'GET', path: '/api/v2/status', answer: statusObject },
  builders: { method: 'GET', path: '/api/v2/builders', answer: z.array(builderObject) },
  builder: { method: 'GET', path: '/api/v2/builders/:builder', answer: builderObject },
  workers: { method: 'GET', path: '/api/v2/workers', answer: z.array(workerObject) },
  worker: { method: 'GET', path: '/api/v2/workers/:worker', answer: workerObject },
  addWorker: {
    method: 'POST',
    path: '/api/v2/workers',
    body: addWorker,
    answer: z.object({
      name: z.string(),
      join: z.string(),
      expires: z.number(),
      changed: z.boolean(),
      /** What whoever uses it should know of the workers that have the name, in sentences. */
      notes: z.array(z.string()),
    }),
  },
  approveWorker: { method: 'POST', path: '/api/v2/workers/:worker/approve', answer: workerObject },
  pauseWorker: { method: 'POST', path: '/api/v2/workers/:worker/pause', answer: workerObject },
  resumeWorker: { method: 'POST', path: '/api/v2/workers/:worker/resume', answer: workerObject },
  drainWorker: { method: 'POST', path: '/api/v2/workers/:worker/drain', answer: workerObject },
  workerPath: { method: 'POST', path: '/api/v2/workers/:worker/path', answer: pathObject },
  workerPlaces: {
    method: 'POST',
    path: '/api/v2/workers/:worker/places',
    body: workerPlaces,
    answer: placesObject,
  },
  removeWorker: { method: 'DELETE', path: '/api/v2/workers/:worker', answer: workerObject },
  builds: {
    method: 'GET',
    path: '/api/v2/builds',
    query: z.object({
      builder: z.string().optional(),
      worker: z.string().optional(),
      complete: z.stringbool().optional(),
      ...page,
    }),
    answer: z.array(buildObject),
  },
  build: { method: 'GET', path: '/api/v2/builds/:build', answer: buildObject },
  step: { method: 'GET', path: '/api/v2/builds/:build/steps/:step', answer: stepObject },
  startBuild: { method: 'POST', path: '/api/v2/builds', body: startBuild, answer: requestObject },
  cancelBuild: { method: 'POST', path: '/api/v2/builds/:build/cancel', body: reason, answer: buildObject },
  retryBuild: { method: 'POST', path: '/api/v2/builds/:build/retry', answer: requestObject },
  requests: {
    method: 'GET',
    path: '/api/v2/buildrequests',
    query: z.object({ builder: z.string().optional(), complete: z.stringbool().optional(), ...page }),
    answer: z.array(requestObject),
  },
  request: { method: 'GET', path: '/api/v2/buildrequests/:request', answer: requestObject },
  cancelRequest: {
    method: 'POST',
    path: '/api/v2/buildrequests/:request/cancel',
    body: reason,
    answer: requestObject,
  },
  retryRequest: {
    method: 'POST',
    path: '/api/v2/buildrequests/:request/retry',
    answer: requestObject,
  },
  changes: { method: 'GET', path: '/api/v2/changes', query: z.object(page), answer: z.array(changeObject) },
  sendChange: { method: 'POST', path: '/api/v2/changes', body: sendChange, answer: changeObject },
  /** `:subject` is a BUILD, `r17`, a change's id as `c5`, a revision, or a repository's name, percent-encoded. */
  why: { method: 'GET', path: '/api/v2/why/:subject', answer: whyObject },
  /** What `applyConfig` would change now; nothing is changed. `restart` names keys that count only after a restart. */
  planConfig: {
    method: 'GET',
    path: '/api/v2/config/plan',
    answer: z.object({ changes: z.array(z.string()), restart: z.array(z.string()) }),
  },
  applyConfig: {
    method: 'POST',
    path: '/api/v2/config/apply',
    answer: z.object({ changed: z.boolean(), changes: z.array(z.string()) }),
  },
} as const satisfies Record<string, Route>;

/**
 * Two answers are streams and stand beside the table:
 * `GET /api/v2/builds/:build/steps/:step/logs/:log?offset=&limit=&follow=&channels=&pieces=` gives bytes (`channels=output` leaves bbx's own
 * header lines out: exactly what the command wrote); with `follow=true` it ends when the log is complete. Lost bytes come as zeros, so that
 * offsets hold; with `pieces=true` they are told as what they are (see log-pieces.ts).
 * `GET /api/v2/events?after=` gives server-sent events, `id:` the eventid, `data:` a `farmEvent`; without `after` it begins with what
 * happens from now on, and a comment line is sent at once, so that a reader knows when it listens.
 */
export const STREAMS = {
  log: '/api/v2/builds/:build/steps/:step/logs/:log',
  events: '/api/v2/events',
} as const;

export type RouteName = keyof typeof routes;
type Row<Name extends RouteName> = (typeof routes)[Name];

/** What a route answers. */
export type AnswerOf<Name extends RouteName> = z.infer<Row<Name>['answer']>;

/** Names of the parts of a route's path that a call fills in; `never` where it has none. */
export type ParamsOf<Name extends RouteName> = ParamsIn<Row<Name>['path']>;
type ParamsIn<Path extends string> = Path extends `${string}:${infer Param}/${infer Rest}`
  ? Param | ParamsIn<Rest>
  : Path extends `${string}:${infer Param}`
    ? Param
    : never;

/** The schema of a route's query or body; `never` where it takes none. */
export type SchemaOf<Name extends RouteName, Part extends 'query' | 'body'> =
  Row<Name> extends { [Key in Part]: infer Schema extends z.ZodType } ? Schema : never;
