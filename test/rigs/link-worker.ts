import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import type { Log } from '../../src/base/log.ts';
import type { CommandPort } from '../../src/build/command-port.ts';
import { buildPlan } from '../../src/build/plan.ts';
import type { BuildPlan } from '../../src/build/plan.ts';
import { createWorkerKey } from '../../src/protocol/bbx/keys.ts';
import type { Limits } from '../../src/protocol/bbx/limits.ts';
import { createJobs } from '../../src/runtime/worker/jobs.ts';
import { startLink } from '../../src/runtime/worker/link.ts';
import type { LinkOptions } from '../../src/runtime/worker/link.ts';
import { openSpool } from '../../src/runtime/worker/spool.ts';

/** The worker's jobs, spool and link, with a port that the test gives instead of real commands. */
export async function startLinkWorker(options: {
  dir: string;
  dial: LinkOptions['dial'];
  port: CommandPort;
  pins?: readonly string[];
  spoolLimit?: number;
  maxBuilds?: number;
  log?: Log;
  limits?: Partial<Limits>;
  link?: Partial<LinkOptions>;
}) {
  const log = options.log ?? silentLog;
  const clock = systemClock;
  const { maxBuilds = 4 } = options;
  const spool = await openSpool({
    dir: options.dir,
    limitBytes: options.spoolLimit ?? 64 * 1024 * 1024,
    clock,
    log,
  });
  const jobs = createJobs({
    spool,
    maxBuilds,
    clock,
    log,
    openPlace: () =>
      Promise.resolve({
        port: options.port,
        workdir: '/build',
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
  });
  let pins = options.pins ?? [];
  const link = startLink({
    name: 'w1',
    key: createWorkerKey().key,
    boot: randomBytes(8).toString('hex'),
    software: 'test',
    maxBuilds,
    facts: {},
    jobs,
    spool,
    clock,
    log,
    targets: () => ['master'],
    pins: () => pins,
    secret: () => undefined,
    dial: options.dial,
    onFirstContact: (pin) => {
      pins = [pin];
      return Promise.resolve();
    },
    onAccepted: () => Promise.resolve(),
    onLearned: () => undefined,
    random: () => 0,
    retryMaxMs: 10,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...options.link,
  });
  spool.onNote(() => link.tellState());
  return {
    spool,
    jobs,
    link,
    async [Symbol.asyncDispose]() {
      await jobs.stop('the test is over');
      await link.stop();
      await spool.close();
    },
  };
}

/** A plan of shell steps; what they print is the port's business. */
export function planOf(names: readonly string[]): BuildPlan {
  return buildPlan.parse({
    builder: 'b',
    number: 1,
    builddir: 'b',
    steps: names.map((name) => ({ kind: 'shell', name, command: name })),
  });
}
