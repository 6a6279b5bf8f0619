import * as z from 'zod';
import { complain, durationOrOff, plainText, positiveDuration } from './leaf.ts';
import { environmentName, plainName, variableName } from './names.ts';
import { logSizeOrOff, tailSize } from './size.ts';

const secretReference = z.strictObject({ secret: variableName.describe('A name from "secrets"') });

/** An environment value: text, or a reference to a secret. Numbers are refused: YAML reads 1.10 as 1.1. */
const envText = z
  .string()
  .max(131_072)
  .refine((text) => !text.includes('\0'), { message: 'holds a zero byte' });
export const env = z
  .record(environmentName, z.union([envText, secretReference]))
  .describe('Environment variables: text, ${{ property }} in text, or { secret: NAME }');

/** A directory below the build's own. */
export const workdir = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((path, ctx) => {
    if (path.startsWith('/') || path.includes('\\') || path.split('/').includes('..'))
      complain(
        ctx,
        `"${path}" leaves the build's directory`,
        'write a path below it, such as "packages/app"',
      );
    if (path.includes('${{')) complain(ctx, 'properties are not filled in here', 'write the path itself');
  });

const stepOptions = {
  name: plainText(128, 1).optional().describe('Shown in pages and logs; default: made from the command'),
  haltOnFailure: z.boolean().optional().describe('A failure ends the build (steps with alwaysRun still run)'),
  flunkOnFailure: z.boolean().optional().describe('A failure makes the whole build a failure (default true)'),
  flunkOnWarnings: z.boolean().optional().describe('Warnings make the whole build a failure'),
  warnOnFailure: z.boolean().optional().describe('A failure makes the whole build have warnings'),
  warnOnWarnings: z
    .boolean()
    .optional()
    .describe('Warnings make the whole build have warnings (default true)'),
  alwaysRun: z.boolean().optional().describe('Runs even after a step with haltOnFailure failed'),
  timeout: durationOrOff.optional().describe('Limit of silence (default 20m); off: none'),
  maxTime: durationOrOff.optional().describe('Limit in all (default off)'),
  sigtermTime: positiveDuration.optional().describe('From TERM to KILL (default 5s)'),
  logMaxSize: logSizeOrOff
    .optional()
    .describe("The master's logMaxSize, for this step; off: everything is kept"),
  logMaxTailSize: tailSize.optional().describe("The master's logMaxTailSize, for this step"),
  workdir: workdir.optional().describe("Below the build's directory"),
};

const exitCode = z
  .string()
  .regex(/^(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$/, { error: 'is not an exit code from 0 to 255' });

export const git = z.strictObject({
  repository: plainName.optional().describe('A name from "repositories"; default: the builder\'s'),
  mode: z
    .enum(['full', 'incremental', 'clean'])
    .optional()
    .describe(
      'full: a new clone each time; incremental (default): what is there is updated; clean: and stray files are removed',
    ),
  branch: plainText(250, 1).optional().describe('Always this branch, whatever the build is for'),
  revision: z
    .string()
    .regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, { error: 'is not a full commit id (40 or 64 hex digits)' })
    .optional()
    .describe('Always this commit'),
  submodules: z.boolean().optional().describe('Check them out as well'),
  shallow: z
    .union([z.boolean(), z.number().int().min(1).max(1_000_000)])
    .optional()
    .describe('Depth of a shallow clone; true: 1'),
  credentials: secretReference.optional().describe("Default: the repository's"),
});

/** One step: either `git:` or `run:`. */
export const step = z
  .strictObject({
    git: git.nullable().optional().describe("Checks out the build's source stamp"),
    run: z
      .union([z.string().min(1).max(1_000_000), z.array(z.string().max(1_000_000)).min(1).max(10_000)])
      .optional()
      .describe('Text: by the shell, exactly as written. A list: executed directly, ${{ property }} allowed'),
    env: env.optional(),
    decodeRC: z
      .record(exitCode, z.enum(['success', 'warnings', 'failure', 'skipped', 'exception']))
      .optional()
      .describe('Exit code to result; default: 0 success, all others failure'),
    ...stepOptions,
  })
  .superRefine((value, ctx) => {
    if (value.git !== undefined && value.run !== undefined)
      complain(ctx, 'a step is either "git:" or "run:", not both', 'make two steps of it');
    if (value.git === undefined && value.run === undefined)
      complain(ctx, 'a step needs "git:" or "run:"', 'write - run: CMD, or - git: {}');
    if (value.git === undefined) return;
    for (const key of ['env', 'decodeRC'] as const)
      if (value[key] !== undefined) complain(ctx, `"${key}" is for "run:" only`, 'remove it', [key]);
  });
export type WrittenStep = z.output<typeof step>;
