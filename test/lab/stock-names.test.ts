import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { has } from '../rigs/debian.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { makeTemplate, stockConfig } from '../rigs/stock-buildbot.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { inLab, namespacesAllowed } from './namespace.ts';

const skip = skipAloud(
  'stock workers and names',
  has('buildbot') && has('buildbot-worker')
    ? namespacesAllowed()
      ? undefined
      : 'this host gives no network namespaces'
    : 'Buildbot is not installed (Debian: buildbot, buildbot-worker)',
);

let base: Awaited<ReturnType<typeof tempDir>>;
beforeAll(async () => {
  base = await tempDir();
  if (skip) return;
  makeTemplate(join(base.path, 'master'));
  await writeFile(
    join(base.path, 'master', 'master.cfg'),
    stockConfig(String.raw`r'tcp:9989:interface=\:\:'`),
  );
});
afterAll(() => base[Symbol.asyncDispose]());

const TAC = `import os
from buildbot_worker.bot import Worker
from twisted.application import service
from twisted.python.logfile import LogFile
from twisted.python.log import ILogObserver, FileLogObserver
basedir = os.path.abspath(os.path.dirname(__file__))
application = service.Application('buildbot-worker')
logfile = LogFile.fromFullPath(os.path.join(basedir, 'twistd.log'))
application.setComponent(ILogObserver, FileLogObserver(logfile).emit)
buildmaster_host = HOST
s = Worker(buildmaster_host, 9989, 'w1', 'hunter2', basedir, 60)
s.setServiceParent(application)
`;

/** What the hosts file has for the name, how the worker fares, and what the doctor says first. The master takes both families. */
const NAMES: [host: string, hosts: string, log: string, id: string | undefined][] = [
  ['six.test', '2a00:1::2 six.test', 'Scheduling retry', 'STK-08'],
  ['four.test', '11.0.0.2 four.test', 'worker is ready', undefined],
  ['2a00:1::2', '', 'worker is ready', undefined],
];

describe.skipIf(skip)('a stock worker and a name', () => {
  it.each(NAMES)(
    '%s, with the hosts line "%s", is judged as it fares: %s',
    async (host, hosts, fares, id) => {
      await using temp = await tempDir();
      const [master, worker] = [join(temp.path, 'master'), join(temp.path, 'worker')];
      await cp(join(base.path, 'master'), master, { recursive: true });
      await mkdir(join(worker, 'info'), { recursive: true });
      await writeFile(join(worker, 'buildbot.tac'), TAC.replace('HOST', JSON.stringify(host)));
      const log = join(worker, 'twistd.log');
      const until = (file: string, words: string) =>
        `for i in $(seq 600); do grep -qs "${words}" ${file} && break; sleep 0.1; done`;
      const { report } = await inLab({
        hosts,
        setup: [
          `buildbot start --nodaemon ${master} > /dev/null 2>&1 &`,
          until(join(master, 'twistd.log'), 'BuildMaster is running'),
          `buildbot-worker start --nodaemon ${worker} > /dev/null 2>&1 &`,
          until(log, fares),
        ],
        doctor: ['ipv6', '--stock', worker],
      });
      expect(await readFile(log, 'utf8').catch(() => '')).toContain(fares);
      const grave = report.findings.filter(({ status }) => status === 'error');
      expect(grave.map((finding) => finding.id)).toEqual(id === undefined ? [] : [id]);
    },
  );
});
