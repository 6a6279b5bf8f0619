import * as z from 'zod';
import { RECEIPTS } from '../build/receipt.ts';
import { RESULTS } from '../build/results.ts';
import { propertyValue } from '../build/plan.ts';

/** The objects of `/api/v2`, with Buildbot's field names plus the words that people want. Times are epoch seconds with fractions. */

const time = z.number();
const results = z.number().int().min(0).max(6).nullable();
const result = z.enum(RESULTS).nullable();

export const builderObject = z.object({
  builderid: z.number().int(),
  name: z.string(),
  active: z.boolean(),
  tags: z.array(z.string()),
  /** Names of the connected workers that fit it. */
  workers: z.array(z.string()),
  pending: z.number().int(),
  running: z.number().int(),
  last: z.object({ number: z.number().int(), result, complete_at: time.nullable() }).nullable(),
});
export type BuilderObject = z.infer<typeof builderObject>;

/** A time without a link to a worker, from what both sides wrote down. */
export const linkEventObject = z.object({
  lost_at: time,
  /** Null: it is not back. */
  back_at: time.nullable(),
  seconds: z.number().nullable(),
  /** The root of it, as far as it is known. */
  cause: z.enum([
    'slept',
    'stalled',
    'worker-restarted',
    'replaced',
    'master-restarted',
    'address-changed',
    'silent',
    'closed-by-master',
    'closed-by-worker',
    'cut',
  ]),
  /** The causes in words, and in a build what became of it. */
  words: z.string(),
  /** The worker's address before and after. */
  from: z.string(),
  to: z.string().nullable(),
  /** Who ended the session, with which closing code, as the master saw it. */
  closed_by: z.enum(['master', 'worker', 'nobody']).nullable(),
  code: z.number().int().nullable(),
  /** Tries of the worker that failed before it was back. */
  tries: z.number().int(),
  /** What each side saw of the end; null: the worker has not told. */
  master: z.string(),
  worker: z.string().nullable(),
  /** How far the master's clock was ahead of the worker's, seconds; null: the worker did not say. */
  clock_ahead: z.number().nullable(),
});
export type LinkEventObject = z.infer<typeof linkEventObject>;

/** The link to a worker, now and lately. */
export const linkObject = z.object({
  /** Begin of the session at work; null: there is none. */
  since: time.nullable(),
  /** Round trip, ms: median of the last minute, and the shortest and the longest of the session; null: not measured yet. */
  rtt_ms: z.number().nullable(),
  rtt_min_ms: z.number().nullable(),
  rtt_max_ms: z.number().nullable(),
  pings: z.number().int(),
  missed: z.number().int(),
  received: z.number().int(),
  sent: z.number().int(),
  clock_ahead: z.number().nullable(),
  /** Times that the link was lost in the last hour and day. */
  lost_hour: z.number().int(),
  lost_day: z.number().int(),
  last: linkEventObject.nullable(),
});
export type LinkObject = z.infer<typeof linkObject>;

export const workerObject = z.object({
  workerid: z.number().int(),
  name: z.string(),
  state: z.enum(['invited', 'pending', 'approved', 'removed']),
  connected: z.boolean(),
  /** Connected, approved, not paused and not draining: it takes work. */
  attached: z.boolean(),
  paused: z.boolean(),
  draining: z.boolean(),
  tags: z.array(z.string()),
  maxBuilds: z.number().int(),
  running: z.number().int(),
  /** SHA-256 of its public key, `sha256:…`; null until it first came. */
  fingerprint: z.string().nullable(),
  peer: z.string().nullable(),
  last_seen_at: time.nullable(),
  facts: z.record(z.string(), z.string()),
  /** What the worker says is wrong, such as a full disk. */
  notes: z.array(z.string()),
  /** Only in the answer to a single worker. */
  link: linkObject.optional(),
});
export type WorkerObject = z.infer<typeof workerObject>;

export const logObject = z.object({
  logid: z.number().int(),
  stepid: z.number().int(),
  name: z.string(),
  bytes: z.number().int(),
  complete: z.boolean(),
  pruned: z.boolean(),
  /** Newlines; null while it grows, and for logs of an older bbx. */
  lines: z.number().int().nullable(),
  /** SHA-256 of the bytes as they are stored, hex; null while it grows. */
  sha256: z.string().nullable(),
  /** How the log was compared with what its worker said of it; null while it grows, and for logs of an older bbx. */
  receipt: z.enum(RECEIPTS).nullable(),
  /** Bytes of the command's output that the log's limit has left out: they are counted nowhere else. */
  cut: z.number().int(),
});
export type LogObject = z.infer<typeof logObject>;

export const stepObject = z.object({
  stepid: z.number().int(),
  buildid: z.number().int(),
  number: z.number().int(),
  name: z.string(),
  started_at: time.nullable(),
  complete_at: time.nullable(),
  complete: z.boolean(),
  results,
  result,
  state_string: z.string(),
  rc: z.number().int().nullable(),
  signal: z.string().nullable(),
  logs: z.array(logObject),
});
export type StepObject = z.infer<typeof stepObject>;

export const buildObject = z.object({
  buildid: z.number().int(),
  builderid: z.number().int(),
  builder: z.string(),
  number: z.number().int(),
  buildrequestid: z.number().int(),
  worker: z.string(),
  attempt: z.number().int(),
  complete: z.boolean(),
  results,
  result,
  started_at: time,
  complete_at: time.nullable(),
  state_string: z.string(),
  reason: z.string(),
  branch: z.string().nullable(),
  revision: z.string().nullable(),
  properties: z.record(z.string(), propertyValue),
  /** Only in the answer to a single build. */
  steps: z.array(stepObject).optional(),
  /** Times without a link to its worker while it ran, oldest first. Only in the answer to a single build. */
  links: z.array(linkEventObject).optional(),
});
export type BuildObject = z.infer<typeof buildObject>;

export const requestObject = z.object({
  buildrequestid: z.number().int(),
  buildsetid: z.number().int(),
  builderid: z.number().int(),
  builder: z.string(),
  priority: z.number().int(),
  submitted_at: time,
  claimed: z.boolean(),
  complete: z.boolean(),
  results,
  result,
  complete_at: time.nullable(),
  /** Why it was cancelled before a build of it began; empty where no reason was given. */
  cancel_reason: z.string().nullable(),
  reason: z.string(),
  branch: z.string().nullable(),
  revision: z.string().nullable(),
  /** Its builds so far, oldest first; more than one after a lost worker. */
  builds: z.array(z.object({ buildid: z.number().int(), number: z.number().int(), result })),
});
export type RequestObject = z.infer<typeof requestObject>;

export const changeObject = z.object({
  changeid: z.number().int(),
  repository: z.string(),
  branch: z.string(),
  revision: z.string(),
  author: z.string(),
  comments: z.string(),
  files: z.array(z.string()),
  when_timestamp: time,
});
export type ChangeObject = z.infer<typeof changeObject>;

/** Something that does not work now: a poller or a worker that cannot reach its target, with the doctor's words. */
export const troubleObject = z.object({
  subject: z.string(),
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  since: time,
});

export const statusObject = z.object({
  title: z.string(),
  version: z.string(),
  epoch: z.string(),
  started_at: time,
  /** Addresses that are really bound. */
  listening: z.object({ workers: z.array(z.string()), web: z.array(z.string()) }),
  reach: z.array(z.string()),
  draining: z.boolean(),
  config: z.object({
    file: z.string(),
    loaded_at: time,
    error: z.string().nullable(),
    /** The file was written since it was loaded: what it says now is not at work. */
    changed: z.boolean(),
  }),
  workers: z.array(workerObject),
  running: z.array(buildObject),
  pending: z.array(requestObject),
  /** Of when `running` and `pending` are: not of now where the database does not answer. `read_at` is null before its first answer. */
  lists: z.object({ stale: z.boolean(), read_at: time.nullable() }),
  trouble: z.array(troubleObject),
});
export type StatusObject = z.infer<typeof statusObject>;

/** `bbx why`: sentences with the facts they rest on. */
export const whyObject = z.object({
  subject: z.string(),
  summary: z.string(),
  reasons: z.array(z.object({ about: z.string(), reason: z.string(), since: time.nullable() })),
});
export type WhyObject = z.infer<typeof whyObject>;

/** The event stream (`GET /api/v2/events`, server-sent events; `id:` is the eventid). Payloads name rows, never text of logs. */
export const farmEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('build.started'),
    buildid: z.number(),
    builder: z.string(),
    number: z.number(),
    worker: z.string(),
    buildrequestid: z.number(),
  }),
  z.object({
    type: z.literal('build.finished'),
    buildid: z.number(),
    builder: z.string(),
    number: z.number(),
    results: z.number(),
    buildrequestid: z.number(),
  }),
  z.object({
    type: z.literal('build.lost'),
    buildid: z.number(),
    builder: z.string(),
    number: z.number(),
    worker: z.string(),
  }),
  z.object({
    type: z.literal('build.adopted'),
    buildid: z.number(),
    builder: z.string(),
    number: z.number(),
    worker: z.string(),
  }),
  /** A worker has a build of the store's other life, from before a restore: `build` is its name there. */
  z.object({
    type: z.literal('build.aside'),
    worker: z.string(),
    build: z.string(),
    epoch: z.string(),
  }),
  z.object({
    type: z.literal('step.started'),
    buildid: z.number(),
    stepid: z.number(),
    number: z.number(),
    name: z.string(),
  }),
  z.object({
    type: z.literal('step.finished'),
    buildid: z.number(),
    stepid: z.number(),
    number: z.number(),
    results: z.number(),
  }),
  z.object({ type: z.literal('request.submitted'), buildrequestid: z.number(), builder: z.string() }),
  z.object({
    type: z.literal('request.finished'),
    buildrequestid: z.number(),
    builder: z.string(),
    results: z.number(),
  }),
  z.object({
    type: z.literal('change.added'),
    changeid: z.number(),
    repository: z.string(),
    branch: z.string(),
    revision: z.string(),
  }),
  z.object({
    type: z.literal('worker.changed'),
    name: z.string(),
    what: z.enum(['attached', 'detached', 'pending', 'approved', 'removed', 'paused', 'resumed', 'draining']),
  }),
  /** A session has begun (`opened`), or the worker has told what it saw of a lost one (`told`): `GET /builds/…` has more now. */
  z.object({ type: z.literal('worker.link'), name: z.string(), what: z.enum(['opened', 'told']) }),
  z.object({ type: z.literal('config.applied'), changes: z.array(z.string()) }),
]);
export type FarmEvent = z.infer<typeof farmEvent>;
