import * as z from 'zod';

/** What both ends of the way between a worker and its master saw while the worker tried it anew. */
export const pathObject = z.object({
  worker: z.string(),
  /** When the worker was asked, epoch seconds. */
  at: z.number(),
  /** The worker's address in the session that stands, as the master sees it. */
  peer: z.string(),
  /** What the master listens on for workers. */
  bound: z.array(z.string()),
  /** The worker's own words, `ways` of `dialled` (docs/protocol.md). */
  ways: z.array(z.looseObject({ target: z.string() })),
  /** Connections that the master accepted meanwhile, whoever they were of; `nonce` of their `hello` where there was one. */
  arrivals: z.array(z.object({ peer: z.string(), local: z.string(), nonce: z.string().nullable() })),
  /** Connections of which only the first packet came; null where the system does not tell. */
  half_open: z.array(z.object({ peer: z.string(), local: z.string() })).nullable(),
});

export type PathObject = z.infer<typeof pathObject>;

/** Places that a worker is to try, such as the hosts of repositories. */
export const workerPlaces = z.object({
  places: z
    .array(z.object({ host: z.string().min(1).max(253), port: z.number().int().min(1).max(65_535) }))
    .min(1)
    .max(32),
});

/** What a worker sees of them. */
export const placesObject = z.object({
  worker: z.string(),
  /** When the worker was asked, epoch seconds. */
  at: z.number(),
  /** In the order of the question; the worker's own words, `places` of `dialled` (docs/protocol.md). */
  places: z.array(z.looseObject({ target: z.string() })),
});

export type PlacesObject = z.infer<typeof placesObject>;
