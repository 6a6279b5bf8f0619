/**
 * Many workers in one process that do nothing: the real link, jobs and spool of a worker, without its directory's lock, its keeper and its
 * commands. Usage: workers.ts DIR COUNT, the join string on stdin; ends when stdin does.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { parseJoin } from '../../../src/protocol/bbx/join.ts';
import { createWorkerKey } from '../../../src/protocol/bbx/keys.ts';
import { createJobs } from '../../../src/runtime/worker/jobs.ts';
import { startLink } from '../../../src/runtime/worker/link.ts';
import { openSpool } from '../../../src/runtime/worker/spool.ts';
import { dialMaster } from '../../../src/runtime/worker/start-dial.ts';

const [dir = '', count = '0'] = process.argv.slice(2);
/** Workers that come for the first time at once; a rush leaves memory behind in any server. They come back all together. */
const AT_ONCE = 20;
const base = { clock: systemClock, log: silentLog };

process.stdin.once('data', (text: Buffer) => {
  const { pins, reach, secret } = parseJoin(text.toString().trim());
  let started = 0;
  const next = () => {
    if (started >= Number(count)) return;
    started += 1;
    void start(`light-${started}`);
  };
  for (let index = 0; index < AT_ONCE; index += 1) next();

  async function start(name: string): Promise<void> {
    const spool = await openSpool({ dir: join(dir, name), limitBytes: 1024 * 1024, ...base });
    let fresh = true;
    const openPlace = () => Promise.reject(new Error('this worker builds nothing'));
    startLink({
      ...{ name, key: createWorkerKey().key, boot: randomBytes(8).toString('hex'), software: 'bench' },
      ...{ maxBuilds: 1, facts: { os: 'linux', arch: 'x64' }, ...base, spool },
      jobs: createJobs({ spool, maxBuilds: 1, openPlace, ...base }),
      targets: () => reach,
      pins: () => pins,
      secret: () => secret.reveal(),
      dial: (target, options) => dialMaster(target, { via: [], ...options }),
      onFirstContact: () => Promise.resolve(),
      onAccepted() {
        if (fresh) next();
        fresh = false;
        return Promise.resolve();
      },
      onLearned: () => undefined,
    });
  }
});
process.stdin.once('end', () => process.exit());
