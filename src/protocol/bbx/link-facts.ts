import * as z from 'zod';

const text = (max: number) => z.string().max(max);
const address = text(100);
/** What a start of a process calls itself; it stands in rows, which take no control characters. */
export const bootName = z
  .string()
  .max(64)
  .regex(/^\P{Cc}*$/u);
const ms = z.number().nonnegative().max(1e12);
const count = z.number().int().nonnegative().max(1e9);

/**
 * What a worker writes down about its link, one fact a record. Nothing in it is secret: addresses, codes, times. The master shows the
 * texts as texts and believes none of them.
 */
export const linkFact = z.discriminatedUnion('kind', [
  /** The worker's process has started; `adopted`: so many builds of the former process went on under its keeper. */
  z.object({ kind: z.literal('began'), software: text(100), adopted: count.optional() }),
  /** It was stopped in good order. */
  z.object({ kind: z.literal('ended') }),
  /** A try came to nothing; the same failure again is counted, not written again each time. */
  z.object({ kind: z.literal('failed'), target: text(300), code: text(60), got: text(300), times: count }),
  /** The master has let the worker in. `local` and `seen` are the worker's own address, here and as the master sees it. */
  z.object({
    kind: z.literal('up'),
    target: text(300),
    peer: address,
    local: address,
    seen: address,
    session: text(64),
    /** From the first packet of the try on. */
    ms,
  }),
  /** The session's end: who ended it, and how long nothing had been heard by then. */
  z.object({
    kind: z.literal('down'),
    session: text(64),
    by: z.enum(['worker', 'master', 'nobody']),
    code: z.number().int().min(0).max(9_999),
    reason: text(300),
    silentMs: ms,
    lastedMs: ms,
  }),
  /** Round trips of about a minute. */
  z.object({
    kind: z.literal('pulse'),
    pings: count,
    missed: count,
    minMs: ms.nullable(),
    medianMs: ms.nullable(),
    maxMs: ms.nullable(),
  }),
  /** The machine's time was set, by so many seconds. */
  z.object({ kind: z.literal('clock'), by: z.number().min(-1e10).max(1e10) }),
  /** The machine slept; no monotonic clock counts that. */
  z.object({ kind: z.literal('slept'), seconds: z.number().nonnegative().max(1e10) }),
  /** The process did not run for a while: stopped, or the machine was too busy. */
  z.object({ kind: z.literal('stalled'), seconds: z.number().nonnegative().max(1e10) }),
]);
export type LinkFact = z.infer<typeof linkFact>;

/** A fact as it travels. */
export const linkRecord = z.object({
  /** Numbers of one worker's directory only grow; with `boot` they name a record for good. */
  number: z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
  /** The process that wrote it. */
  boot: bootName,
  /** The worker's wall clock then, epoch seconds. */
  at: z.number().min(-1e12).max(1e12),
  /** How long ago it was when the message was made, seconds, by a clock that nobody sets; null where there is none. */
  ago: z.number().nonnegative().max(1e10).nullable(),
  fact: linkFact,
});
export type LinkRecord = z.infer<typeof linkRecord>;

/** Records in one message: far more than a day of a good link. */
export const RECORDS_PER_MESSAGE = 100;
/** What a master announces in `capabilities` when it takes `history`. */
export const HISTORY = 'history';
