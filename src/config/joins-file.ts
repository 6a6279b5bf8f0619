import * as z from 'zod';

/**
 * `identity/joins.json`: join secrets that were made before the master's store. It holds hashes, so it lets nobody in; a master adds
 * each to its store (the same hash twice changes nothing) and then removes the file.
 */
export const joinsFile = z.strictObject({
  v: z.literal(1),
  joins: z
    .array(
      z.strictObject({
        /** SHA-256 of the secret, hex. */
        secret_sha256: z.string().regex(/^[0-9a-f]{64}$/),
        /** One name, or a pattern with `*`. */
        names: z.string().min(1).max(100),
        uses: z.number().int().positive().max(1_000_000),
        /** Epoch seconds. */
        expires_at: z.number().positive(),
      }),
    )
    .max(100_000),
});
export type JoinsFile = z.output<typeof joinsFile>;
