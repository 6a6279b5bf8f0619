/**
 * Many workers in one process: the real link, jobs, spool and commands of a worker, without its directory's lock and its keeper. Usage:
 * workers.ts DIR COUNT, the join string on stdin; ends when stdin does.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { parseJoin } from '../../../src/protocol/bbx/join.ts';
import { createWorkerKey } from '../../../src/protocol/bbx/keys.ts';
import { createJobs } from '../../../src/runtime/worker/jobs.ts';
import { startLink } from '../../../src/runtime/worker/link.ts';
import { createLocalPort } from '../../../src/runtime/worker/local-port.ts';
import { openSpool } from '../../../src/runtime/worker/spool.ts';
import { dialMaster } from '../../../src/runtime/worker/start-dial.ts';
import { openWorkspace } from '../../../src/runtime/worker/workspace.ts';

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
    const builds = join(dir, name, 'builds');
    const jobs = createJobs({
      ...base,
      spool,
      maxBuilds: 1,
      async openPlace(builddir) {
        const workspace = await openWorkspace({ builds, builddir, identity: null });
        return {
          port: createLocalPort({ ...workspace, env: { PATH: process.env['PATH'] }, identity: null }),
          workdir: workspace.root,
          [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
        };
      },
    });
    const link = startLink({
      ...{ name, key: createWorkerKey().key, boot: randomBytes(8).toString('hex'), software: 'bench' },
      ...{ maxBuilds: 1, facts: { os: 'linux', arch: 'x64' }, ...base, spool },
      jobs,
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
    spool.onNote(() => link.tellState());
  }
});
process.stdin.once('end', () => process.exit());
