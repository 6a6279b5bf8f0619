import * as z from 'zod';
import { duration, hops, masterAddress, pins, tags, textsReadBy } from './leaf.ts';
import { workerName } from './names.ts';
import { spoolSize } from './size.ts';

/** `worker.yaml` as people write it (input) and as programs read it (output). */
export const workerSchema = z.strictObject({
  $schema: z.string().optional(),
  name: workerName.describe('How the master knows it; one worker has one name'),
  master: textsReadBy(masterAddress).describe('The master, or a list of ways to it, best first'),
  pin: pins.prefault([]).describe("SHA-256 of the master's key; without one it is pinned at first contact"),
  via: hops.prefault([]).describe('Hops on the way: ssh:me@host, socks5://…, http://proxy:3128, relay://…'),
  maxBuilds: z.number().int().min(1).max(1_000).default(1).describe('Builds at the same time'),
  tags: tags.default([]).describe('Tags that this worker brings; the master can give it more'),
  drainTimeout: duration.prefault('10m').describe('On SIGTERM, how long running builds may take to end'),
  runAs: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}\$?$/i, { error: 'is not a user name' })
    .optional()
    .describe('User that builds run as, when the worker itself runs as root'),
  spoolLimit: spoolSize
    .prefault('10GB')
    .describe('Output waiting for the master may take so much disk; above it steps are held up'),
});

export type CheckedWorker = z.output<typeof workerSchema>;
