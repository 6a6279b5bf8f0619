import * as z from 'zod';

/** A property's value as configuration, change and step give it. */
export const propertyValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export type PropertyValue = z.infer<typeof propertyValue>;
export type Properties = Readonly<Record<string, PropertyValue>>;

/** An environment value: text (with `${{ property }}`), or a reference to a secret whose value never stands in a plan. */
export const envValue = z.union([z.string(), z.object({ secret: z.string() }).strict()]);
export type EnvValue = z.infer<typeof envValue>;
export const envTable = z.record(z.string(), envValue);

/** How much of a command's output a log keeps: its beginning, and what it said last. In bytes. */
export const logMax = z.object({
  bytes: z.number().int().nonnegative(),
  tailBytes: z.number().int().nonnegative(),
});
export type LogMax = z.infer<typeof logMax>;

/** What every step has; names and defaults are Buildbot's. */
const stepOptions = {
  name: z.string().min(1).max(128),
  haltOnFailure: z.boolean().default(false),
  flunkOnFailure: z.boolean().default(true),
  flunkOnWarnings: z.boolean().default(false),
  warnOnFailure: z.boolean().default(false),
  warnOnWarnings: z.boolean().default(true),
  alwaysRun: z.boolean().default(false),
  /** Limit of silence in ms; null: none. Buildbot's default is 1200 s. */
  timeoutMs: z.number().positive().nullable().default(1_200_000),
  /** Limit in all in ms; null: none. */
  maxTimeMs: z.number().positive().nullable().default(null),
  /** After TERM, how long until KILL, in ms. */
  sigtermTimeMs: z.number().positive().default(5_000),
  /** null: everything is kept. */
  logMax: logMax.nullable().default(null),
};

export const shellStep = z.object({
  kind: z.literal('shell'),
  /** Text: run by `/bin/sh -c`, exactly as written. A list: executed directly, `${{ property }}` allowed in each word. */
  command: z.union([z.string().min(1), z.array(z.string()).min(1)]),
  env: envTable.default({}),
  /** Relative to the build's directory. */
  workdir: z.string().default('.'),
  /** Exit code → result, over the default of 0 success, anything else failure. */
  decodeRC: z
    .record(z.string(), z.enum(['success', 'warnings', 'failure', 'skipped', 'exception']))
    .default({}),
  ...stepOptions,
});

export const gitStep = z.object({
  kind: z.literal('git'),
  repository: z.string().min(1),
  branch: z.string().nullable().default(null),
  /** Full commit id, or null for the branch's head. */
  revision: z.string().nullable().default(null),
  mode: z.enum(['full', 'incremental', 'clean']).default('incremental'),
  submodules: z.boolean().default(false),
  /** Depth of a shallow clone; null: everything. */
  shallow: z.number().int().positive().nullable().default(null),
  /** Secret that holds credentials in the form of git's credential store, for this repository's host only. */
  credentials: z.object({ secret: z.string() }).strict().nullable().default(null),
  workdir: z.string().default('.'),
  ...stepOptions,
  /** As in Buildbot's source steps: without its sources a build has nothing to go on with. */
  haltOnFailure: z.boolean().default(true),
});

export const stepPlan = z.discriminatedUnion('kind', [shellStep, gitStep]);
export type ShellStep = z.infer<typeof shellStep>;
export type GitStep = z.infer<typeof gitStep>;
export type StepPlan = z.infer<typeof stepPlan>;

/**
 * Everything that a worker needs to walk a build alone: it travels once, at assignment, and stays in the worker's spool, so that a
 * lost link or a restarted master does not stop the build. Holds references to secrets, never values.
 */
export const buildPlan = z.object({
  builder: z.string(),
  number: z.number().int(),
  /** Directory under the worker's `builds/`, safe as a file name; one per builder, so that incremental checkouts work. */
  builddir: z.string().regex(/^[A-Za-z0-9._-]{1,100}$/),
  env: envTable.default({}),
  /** What `${{ }}` can name; the worker adds `workdir`. */
  properties: z.record(z.string(), propertyValue).default({}),
  steps: z.array(stepPlan).max(1_000),
});
export type BuildPlan = z.infer<typeof buildPlan>;
