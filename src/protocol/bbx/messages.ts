import * as z from 'zod';
import { buildPlan } from '../../build/plan.ts';
import { progressEvent } from '../../build/progress.ts';
import { dialledWay, dialPlace, MOST_PLACES, MOST_WAYS } from './dial-facts.ts';
import { bootName, linkRecord, RECORDS_PER_MESSAGE } from './link-facts.ts';

const text = (max: number) => z.string().max(max);
const base64 = (max: number) => z.string().max(max);

/** One try at a build: the number of the try, then 64 random bits in hex. Everything sent with an older one is refused. */
export const leaseToken = z.string().regex(/^\d{1,6}-[0-9a-f]{16}$/);

/** What a worker announces in the `capabilities` of its inventory when streams of its can be asked to rest. */
export const PAUSE = 'pause';

/** A build at one worker, named the same way in every message. */
const leased = { build: z.number().int().positive(), token: leaseToken };

// —— before authentication ——

export const hello = z.object({
  type: z.literal('hello'),
  versions: z.array(z.number().int()).min(1).max(16),
  software: text(100),
  /** 32 random bytes; the answer signs them, so that the doctor can tell a master from something that repeats old answers. */
  nonce: base64(64),
});

export const greeting = z.object({
  type: z.literal('greeting'),
  version: z.number().int(),
  software: text(100),
  /** Which master this is: SHA-256 of its public key, as in a pin. */
  instance: text(80),
  /** SPKI of the master's key, DER in base64; `instance` is its fingerprint. */
  publicKey: base64(400),
  /** 32 random bytes that the worker's signature must cover. */
  challenge: base64(64),
  /** Random name of the store's life; renewed when it is restored from a backup. */
  epoch: text(64),
  /** Signature with the master's key over nonce, challenge, TLS exporter value and epoch (docs/protocol.md). */
  signature: base64(200),
  /** The master's wall clock, epoch seconds. */
  time: z.number(),
  capabilities: z.array(text(50)).max(50),
});

export const authenticate = z.object({
  type: z.literal('authenticate'),
  name: text(100),
  /** SPKI of the worker's key, DER in base64. */
  publicKey: base64(400),
  /** Signature with the worker's key over nonce, challenge, this TLS session's exporter value, name and boot. */
  signature: base64(200),
  /** Join secret, at the first contact only. */
  secret: text(200).optional(),
  /** Random for each start of the worker's process: tells a returning process from a second one of the same name. */
  boot: bootName,
  /** Only asks whether this would be let in: takes no slot, replaces no session, enrols nothing. */
  probe: z.boolean().default(false),
});

/** Why a session is refused; `BBX-PRO-…` rows in codes.ts say it in words. */
export const refusal = z.object({
  type: z.literal('refused'),
  reason: z.enum([
    'version',
    'identity',
    'pending',
    'expired',
    'alternating',
    'busy',
    'malformed',
    'removed',
  ]),
  message: text(1_000),
  /** Seconds until another try makes sense. */
  retryAfter: z.number().nonnegative().optional(),
});

export const accepted = z.object({
  type: z.literal('accepted'),
  session: text(64),
  /** What the master sees as the worker's address, `[2001:db8::1]:4711`. */
  peer: text(100),
  /** Ways to reach the master, best first; the worker keeps them for later connects. */
  reach: z.array(text(300)).max(32),
  /** Pins to accept from now on. */
  pins: z.array(text(80)).max(8),
});

// —— worker → master ——

/** How far the master's clock is `ahead` of the worker's, seconds, and `within` what: half of the round trip that measured it. */
export const clockDifference = z.object({
  ahead: z.number().min(-1e10).max(1e10),
  within: z.number().min(0).max(60),
});
/** First message of a session: what the worker is and what it still has. */
export const inventory = z.object({
  type: z.literal('inventory'),
  maxBuilds: z.number().int().positive().max(1_000),
  facts: z
    .record(text(50), text(500))
    .refine((facts) => Object.keys(facts).length <= 100, { error: 'more than 100 facts' }),
  draining: z.boolean(),
  clock: clockDifference.optional(),
  builds: z
    .array(z.object({ ...leased, epoch: text(64), state: z.enum(['running', 'finished']) }))
    .max(10_000),
  /** Builds of other lives of the store, which the worker has set aside; `name` as people name them: demo/17. */
  aside: z
    .array(z.object({ build: z.number().int().positive(), epoch: text(64), name: text(200) }))
    .max(1_000)
    .optional(),
  /** What the worker can be asked beyond builds: `dial`, and `pause` of a stream. */
  capabilities: z.array(text(50)).max(50).optional(),
});
export const workerState = z.object({
  type: z.literal('state'),
  draining: z.boolean(),
  notes: z.array(text(1_000)).max(20),
});
export const assignAnswer = z.object({
  type: z.literal('assigned'),
  ...leased,
  accepted: z.boolean(),
  why: text(1_000).optional(),
});
export const progress = z.object({
  type: z.literal('progress'),
  ...leased,
  sequence: z.number().int().positive(),
  event: progressEvent,
});
/** Names a stream for the binary frames that follow; `offset` is where the first byte stands in the log. */
export const openStream = z.object({
  type: z.literal('open'),
  ...leased,
  stream: z.number().int().nonnegative().max(0xffff_ffff),
  step: z.number().int().nonnegative(),
  log: text(100),
  offset: z.number().int().nonnegative(),
});
/** The answer to `pause`: no frame of the stream comes after it, until `proceed`. */
export const paused = z.object({
  type: z.literal('paused'),
  ...leased,
  stream: z.number().int().nonnegative().max(0xffff_ffff),
});
/** The worker cannot deliver the rest of a build (its spool is damaged or was freed): the master counts it as lost. */
export const abandoned = z.object({ type: z.literal('abandoned'), ...leased, why: text(1_000) });
/** What the worker has written down about its link, oldest first; only to a master that announced it, and one at a time. */
export const history = z.object({
  type: z.literal('history'),
  records: z.array(linkRecord).max(RECORDS_PER_MESSAGE),
});
/** What became of a `dial`. */
export const dialled = z.object({
  type: z.literal('dialled'),
  id: z.number().int(),
  ways: z.array(dialledWay).max(MOST_WAYS),
  /** In the order of the question; nobody is greeted there. */
  places: z.array(dialledWay).max(MOST_PLACES).optional(),
});
/** Asks for the same bytes back; allowed before authentication, so the answer is never larger than the question. */
export const echo = z.object({ type: z.literal('echo'), id: z.number().int(), payload: base64(90_000) });
/** Bytes that need not come back: the way to the master alone. Like the three after it for whoever was greeted, where announced. */
export const push = z.object({ type: z.literal('push'), id: z.number().int(), payload: base64(90_000) });
/** Asks for so many bytes, at most those that were pushed before and not yet pulled: the way back alone. */
export const pull = z.object({
  type: z.literal('pull'),
  id: z.number().int(),
  bytes: z.number().int().positive().max(65_536),
});
/** Asks what the master has seen of this connection. */
export const witness = z.object({ type: z.literal('witness'), id: z.number().int() });
/** Lets the connection rest: neither side sends anything for `seconds`, not even pings; then the side of `by` speaks first. */
export const hold = z.object({
  type: z.literal('hold'),
  id: z.number().int(),
  seconds: z.number().positive().max(600),
  by: z.enum(['worker', 'master']),
});

// —— master → worker ——

/** Answer to a build of `inventory`: go on with it, from here. A build that is newly assigned starts at zero without it. */
export const resume = z.object({
  type: z.literal('resume'),
  ...leased,
  /** Progress events up to this number are stored. */
  sequence: z.number().int().nonnegative(),
  /** Stored bytes of each log that the master has begun. */
  logs: z.array(z.object({ step: z.number().int(), log: text(100), bytes: z.number().int() })).max(100_000),
});
/** The build is not this worker's any more: end it, forget it, send nothing more of it. */
export const drop = z.object({ type: z.literal('drop'), ...leased, why: text(1_000) });
export const assign = z.object({
  type: z.literal('assign'),
  ...leased,
  plan: buildPlan,
  /** Values of the secrets that the plan names; kept in memory only. */
  secrets: z.record(text(100), text(65_536)),
  /** How long the worker goes on without the master, in seconds; it ends the build before this is over. null: as long as it takes. */
  orphanAfter: z.number().positive().nullable(),
});
export const cancel = z.object({ type: z.literal('cancel'), ...leased, why: text(1_000) });
/** What is stored now: the worker may free it. Offsets also give credit: at most `LIMITS.creditBytes` past them may be on the way. */
export const acknowledge = z.object({
  type: z.literal('ack'),
  ...leased,
  sequence: z.number().int().nonnegative(),
  streams: z.array(z.object({ stream: z.number().int(), offset: z.number().int() })).max(10_000),
});
/** The stream is to rest: what is on the way of it is not kept. Only to a worker that announced it. */
export const pause = z.object({
  type: z.literal('pause'),
  ...leased,
  stream: z.number().int().nonnegative().max(0xffff_ffff),
});
/** After `paused`: the stream goes on at `offset`, which is what is kept of its log. */
export const proceed = z.object({
  type: z.literal('proceed'),
  ...leased,
  stream: z.number().int().nonnegative().max(0xffff_ffff),
  offset: z.number().int().nonnegative(),
});
export const settings = z.object({
  type: z.literal('settings'),
  paused: z.boolean(),
  reach: z.array(text(300)).max(32),
  pins: z.array(text(80)).max(8),
});
/** Records of the worker's history up to `number` are kept by the master. Only sent in answer to `history`. */
export const historyStored = z.object({
  type: z.literal('historyStored'),
  number: z.number().int().nonnegative(),
});
/** Asks the worker to try its own ways to the master, beside the session that stands; only to one that announced it. */
export const dial = z.object({
  type: z.literal('dial'),
  id: z.number().int(),
  /** Try these instead; only to a worker that announced it. */
  places: z.array(dialPlace).max(MOST_PLACES).optional(),
});
/** Last words before the master closes: `replaced` ends the worker's process with exit code 8. */
export const bye = z.object({
  type: z.literal('bye'),
  reason: z.enum(['replaced', 'stopping', 'removed']),
  message: text(1_000),
});
export const echoed = z.object({ type: z.literal('echoed'), id: z.number().int(), payload: base64(90_000) });
export const pushed = z.object({
  type: z.literal('pushed'),
  id: z.number().int(),
  bytes: z.number().int().nonnegative(),
});
export const pulled = z.object({ type: z.literal('pulled'), id: z.number().int(), payload: base64(90_000) });
/** The nonce of `hello`, the peer's address as the master sees it, and how many bytes of messages have come. */
export const witnessed = z.object({
  type: z.literal('witnessed'),
  id: z.number().int(),
  nonce: base64(64),
  peer: text(100),
  bytes: z.number().int().nonnegative(),
});
/** The master's first word after a `hold` of its own. */
export const held = z.object({ type: z.literal('held'), id: z.number().int() });

export const workerMessage = z.discriminatedUnion('type', [
  hello,
  authenticate,
  inventory,
  workerState,
  assignAnswer,
  progress,
  openStream,
  paused,
  abandoned,
  history,
  echo,
  push,
  pull,
  witness,
  hold,
  dialled,
]);
export const masterMessage = z.discriminatedUnion('type', [
  greeting,
  refusal,
  accepted,
  resume,
  drop,
  assign,
  cancel,
  acknowledge,
  pause,
  proceed,
  settings,
  historyStored,
  bye,
  echoed,
  pushed,
  pulled,
  witnessed,
  held,
  dial,
]);

export type WorkerMessage = z.infer<typeof workerMessage>;
export type MasterMessage = z.infer<typeof masterMessage>;
export type MessageOf<Message extends { type: string }, Type extends Message['type']> = Extract<
  Message,
  { type: Type }
>;
