import * as z from 'zod';
import { propertyValue } from '../../build/plan.ts';
import { DEFAULT_PORT } from '../../net/endpoint/address.ts';
import {
  duration,
  durationOrOff,
  listenAddresses,
  masterAddress,
  neededHost,
  offIsNull,
  plainText,
  positiveDuration,
  tags,
  textsReadBy,
} from './leaf.ts';
import { builderName, plainName, variableName, workerName, workerPattern } from './names.ts';
import {
  branchName,
  branchPattern,
  cron,
  gitUrl,
  publicUrl,
  secretFile,
  storeUrl,
  timezone,
} from './sources.ts';
import { logSizeOrOff, tailSize } from './size.ts';
import { env, step } from './steps.ts';

/** Web port of Buildbot and of bbx. */
const WEB_PORT = 8010;

const properties = z.record(variableName, propertyValue).describe('Own properties, for ${{ name }}');
const builders = z.array(builderName).min(1).max(1_000).describe('Names from "builders"');

const worker = z.strictObject({
  tags: tags.default([]).describe('What builders ask for; together with those the worker brings'),
  maxBuilds: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe("The smaller of this and the worker's own counts"),
});

const repository = z.strictObject({
  git: gitUrl.describe('Where to fetch from: a URL, user@host:path, or an absolute path'),
  poll: durationOrOff
    .refine((ms) => ms === null || ms >= 1_000, {
      message: 'is under a second',
      params: { fix: 'write 1s or more' },
    })
    .prefault('60s')
    .describe('How often to look for pushes; off: never'),
  branches: z
    .array(branchPattern)
    .min(1)
    .max(200)
    .default(['main', 'master'])
    .describe('Branches to watch; * matches any text, also "/"'),
  credentials: z
    .strictObject({ secret: variableName.describe('A name from "secrets"') })
    .optional()
    .describe("A secret in the form of git's credential store"),
});

const schedulerOptions = {
  builders,
  priority: z.number().int().min(-1_000).max(1_000).default(0).describe('Higher is built first'),
  properties: properties.default({}),
};
const branchScheduler = z.strictObject({
  kind: z.literal('branch').describe('branch: after pushes; nightly: at set times'),
  repository: plainName.describe('A name from "repositories"'),
  branches: z.array(branchPattern).min(1).max(200).optional().describe("Default: all of the repository's"),
  treeStableTimer: duration
    .prefault('10s')
    .describe('Builds when no push came for so long; 0s: each at once'),
  ...schedulerOptions,
});
const nightlyScheduler = z.strictObject({
  kind: z.literal('nightly').describe('branch: after pushes; nightly: at set times'),
  repository: plainName.optional().describe('A name from "repositories"'),
  branch: branchName.optional().describe("Default: the repository's own default branch"),
  cron: cron.describe('Minute, hour, day of month, month, day of week'),
  timezone: timezone.optional().describe("Such as Europe/Lisbon; default: the master's"),
  onlyIfChanged: z.boolean().default(false).describe('Only when changes came since its last build'),
  ...schedulerOptions,
});

const builder = z.strictObject({
  description: plainText(1_000).default('').describe('For people'),
  tags: tags.default([]).describe('For people, to find it'),
  workers: z
    .strictObject({
      names: z.array(workerName).min(1).max(1_000).optional().describe('Only these'),
      tags: tags.min(1).optional().describe('A worker must have all of them'),
    })
    .default({})
    .describe('Which workers may build it; default: all'),
  repository: plainName.optional().describe('A name from "repositories"'),
  env: env.default({}),
  properties: properties.default({}),
  needs: textsReadBy(neededHost)
    .prefault([])
    .describe('What its steps download from, as host:port, for the doctor'),
  orphan: z
    .enum(['stop', 'continue'])
    .default('stop')
    .describe(
      'What a worker does that cannot reach the master: end the build before the grace is over, or go on',
    ),
  steps: z.array(step).min(1).max(1_000).describe('What to do, in order'),
});

const noKeys = (what: string) =>
  z.strictObject({}).default({}).describe(`${what}: none can be configured in this version`);

/** `master.yaml` as people write it (input) and as programs read it (output); names are not looked up yet. */
export const masterSchema = z.strictObject({
  $schema: z.string().optional(),
  title: plainText(200, 1).default('Build farm').describe('What the farm is called'),
  listen: z
    .strictObject({
      workers: listenAddresses(DEFAULT_PORT).prefault('[::]:9989').describe('Where workers connect'),
      web: listenAddresses(WEB_PORT)
        .prefault('localhost:8010')
        .describe('Where browsers and hooks connect; []: nowhere'),
    })
    .prefault({})
    .describe('Where the master listens'),
  reach: textsReadBy(masterAddress)
    .prefault([])
    .describe('How workers get here, best first; goes into join strings'),
  url: publicUrl.optional().describe('What people and hooks use'),
  network: z
    .strictObject({
      families: z
        .union([
          z.literal('auto'),
          z
            .array(z.union([z.literal(4), z.literal(6)]))
            .min(1)
            .max(2),
        ])
        .default('auto')
        .describe('Address families that are meant to work, for the doctor'),
    })
    .prefault({})
    .describe('What is meant to work'),
  store: storeUrl
    .default('sqlite:state.sqlite')
    .describe(
      'Where the state is kept: sqlite:PATH, relative to this directory, or postgres://user@host/database',
    ),
  workers: z
    .record(workerPattern, worker)
    .default({})
    .describe('What the master says of workers; keys may hold *'),
  lostWorkerGrace: positiveDuration
    .prefault('5m')
    .describe('How long a worker may be away before its builds are given to others'),
  repositories: z.record(plainName, repository).default({}).describe('Where sources come from'),
  schedulers: z
    .record(plainName, z.discriminatedUnion('kind', [branchScheduler, nightlyScheduler]))
    .default({})
    .describe('When to build'),
  builders: z.record(builderName, builder).default({}).describe('What can be built, and how'),
  reporters: noKeys('Reporters'),
  secrets: z
    .record(variableName, z.strictObject({ file: secretFile.describe('Where its value stands') }))
    .default({})
    .describe('Files of mode 0600, relative to this directory'),
  logMaxSize: logSizeOrOff
    .prefault('off')
    .describe(
      'How much of its output a step may log; what is beyond it is cut at the worker; off: everything is kept',
    ),
  logMaxTailSize: tailSize
    .prefault('0B')
    .describe('Of a log that is cut so much of its end is kept as well (at most 16MB)'),
  access: z
    .strictObject({
      read: z.enum(['everyone', 'users']).default('everyone').describe('Who may look'),
      write: z.enum(['users', 'nobody']).default('users').describe('Who may start and cancel builds'),
    })
    .prefault({})
    .describe('Who may see and start builds through the web port'),
  retention: z
    .strictObject({
      logs: durationOrOff.prefault('90d').describe('Age at which logs are removed; off: never'),
      builds: z
        .union([z.null(), z.literal('off'), z.number().int().min(1).max(10_000_000)])
        .default(1_000)
        .transform(offIsNull)
        .describe('How many finished builds of each builder are kept; off: all'),
    })
    .prefault({})
    .describe('What is kept, and for how long'),
});

export type WrittenMaster = z.input<typeof masterSchema>;
export type CheckedMaster = z.output<typeof masterSchema>;
