import * as z from 'zod';

const text = (max: number) => z.string().max(max);
const ms = z.number().nonnegative().max(1e9);
const family = z.union([z.literal(4), z.literal(6)]);

/** A worker has few ways to its master; what is over is not tried. */
export const MOST_WAYS = 8;
/** Addresses of one name that are tried. */
export const MOST_ADDRESSES = 16;

/** Places beyond the master that a worker can be asked to try at once. */
export const MOST_PLACES = 32;

/** Somewhere that builds connect to. */
export const dialPlace = z.object({ host: text(253).min(1), port: z.number().int().min(1).max(65_535) });
export type DialPlace = z.infer<typeof dialPlace>;

/** What a worker announces in the `capabilities` of its inventory when it can be asked to try other places than its master. */
export const PLACES = 'places';

/** How far probes of growing size came over one connection. */
export const seriesFact = z.object({
  /** `upMs`, `downMs`: until it was whole at the other end and that was told; null: not tried, or it stalled. */
  sizes: z.array(z.object({ bytes: z.number().int(), upMs: ms.nullable(), downMs: ms.nullable() })).max(8),
  /** The first size that did not arrive, and on which way. */
  stalled: z.object({ bytes: z.number().int(), way: z.enum(['up', 'down']), afterMs: ms }).nullable(),
  /** What the master saw of the connection. */
  seen: z.object({ nonce: text(64), peer: text(100), bytes: z.number().int() }).nullable(),
  /** After a short rest the master spoke first, then this end: null where a word did not come. */
  rested: z.object({ restMs: ms, downMs: ms.nullable(), upMs: ms.nullable() }).nullable(),
});

/** One address tried alone. */
export const dialledAddress = z.object({
  address: text(100),
  family,
  port: z.number().int().min(0).max(65_535),
  outcome: z.enum(['connected', 'failed', 'silent']),
  errno: text(60).nullable(),
  /** The worker's own kernel refused; nothing was sent. */
  local: z.boolean(),
  ms,
  /** The master's greeting there; null where no connection came up. */
  met: z
    .object({
      /** Of this `hello`, base64; what the master has seen of it is joined by that. */
      nonce: text(64).nullable(),
      instance: text(80).nullable(),
      tls: z.boolean(),
      code: text(60).nullable(),
      problem: text(300).nullable(),
      /** The worker's end of the connection. */
      localEnd: text(100),
      ms,
      series: seriesFact.nullable(),
    })
    .nullable(),
});

/** One of the worker's ways to its master, tried from where the worker is. */
export const dialledWay = z.object({
  target: text(300),
  host: text(300),
  port: z.number().int().min(0).max(65_535),
  /** Hops lead there: only they could be tried, and they are not. */
  behindHops: z.boolean(),
  /** What the worker's system gives for the name, each family apart. */
  lookups: z
    .array(z.object({ family, addresses: z.array(text(100)).max(64), errno: text(60).nullable(), ms }))
    .max(2),
  addresses: z.array(dialledAddress).max(MOST_ADDRESSES),
  /** The way that the worker itself takes: the peer that its race of addresses gives. */
  raced: z.object({ peer: text(100), ms }).nullable(),
});

export type SeriesFact = z.infer<typeof seriesFact>;
export type DialledAddress = z.infer<typeof dialledAddress>;
export type DialledWay = z.infer<typeof dialledWay>;
