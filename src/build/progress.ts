import * as z from 'zod';
import { propertyValue } from './plan.ts';

/** Logs of one step; each costs the master a file. */
const MOST_LOGS = 100;
/** As plans have them. */
const NAME_CHARS = 128;
/** The longest path that Linux takes, bytes. */
const PATH_CHARS = 4_096;
/** Of a signal's name. */
const SIGNAL_CHARS = 64;

/**
 * What a walked build tells, in order. The worker numbers these from 1 in its journal, the master applies each number once: so an
 * event that is sent again after a lost link changes nothing. Times are the worker's, epoch seconds with fractions.
 *
 * Logs are named by step index and name. `stepFinished` carries the final size of each of its logs; the master holds it back until it
 * has stored that many bytes, so a finished step always has its whole log.
 */
export const progressEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('buildStarted'), at: z.number(), workdir: z.string().max(PATH_CHARS) }),
  z.object({
    type: z.literal('stepStarted'),
    at: z.number(),
    step: z.number().int().nonnegative(),
    name: z.string().max(NAME_CHARS),
  }),
  z.object({
    type: z.literal('stepFinished'),
    at: z.number(),
    step: z.number().int().nonnegative(),
    /** Number from `RESULTS`. */
    results: z.number().int().min(0).max(6),
    state: z.string(),
    /**
     * `sha256` is empty where the worker does not have the whole log any more (after a restart). `cut`: so many bytes of
     * the command's output the log's limit has left out.
     */
    logs: z
      .array(
        z.object({
          name: z.string().max(100),
          bytes: z.number().int().nonnegative(),
          sha256: z.string().max(64),
          cut: z.number().int().positive().optional(),
        }),
      )
      .max(MOST_LOGS),
    rc: z.number().int().nullable(),
    signal: z.string().max(SIGNAL_CHARS).nullable(),
    properties: z.record(z.string(), propertyValue).default({}),
  }),
  z.object({
    type: z.literal('buildFinished'),
    at: z.number(),
    results: z.number().int().min(0).max(6),
    state: z.string(),
  }),
]);
export type ProgressEvent = z.infer<typeof progressEvent>;
