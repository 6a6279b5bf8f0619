import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issue } from '../rigs/certificates.ts';
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
s = Worker(buildmaster_host, 9989, 'w1', 'hunter2', basedir, 60, useTls=TLS)
s.setServiceParent(application)
`;

/** No host has it; a host that says nothing. */
const DEAD = '11.0.0.98';
const SILENT = '11.0.0.99';
const SIX = '2a00:1::2';
const FOUR = '11.0.0.2';

interface Row {
  host: string;
  hosts?: string;
  /** What the worker's log says of its way. */
  fares: string;
  /** What the doctor says first on the worker's host, and the line to write. */
  id?: string;
  write?: RegExp;
  /** What it says of the ways in on the master's host. */
  ways: string;
  grave?: 'warn' | 'error';
  /** What becomes of `buildbot sendchange`, where it does not get through. */
  changes?: { said: RegExp; told: string };
}

const BY_SIX = `tcp: by ${SIX} over IPv6`;
/** Names as the hosts file has them, how a worker fares with them, and what the doctor says. The master takes both families. */
const NAMES: readonly Row[] = [
  {
    host: 'six.test',
    hosts: `${SIX} six.test`,
    fares: 'Scheduling retry',
    id: 'STK-08',
    write: /buildmaster_host = '2a00:1::2'/,
    ways: `tcp: by name not (it has no A record); ${BY_SIX}`,
    grave: 'warn',
    changes: { said: /DNSLookupError/, told: 'no A record' },
  },
  {
    host: 'four.test',
    hosts: `${FOUR} four.test`,
    fares: 'worker is ready',
    ways: `tcp: by name over IPv4; tcp: by ${FOUR} over IPv4`,
  },
  {
    host: SIX,
    fares: 'worker is ready',
    ways: BY_SIX,
    changes: { said: /must have the form 'hostname:port'/, told: 'no IPv6 address' },
  },
  {
    host: 'dead-four.test',
    hosts: `${DEAD} dead-four.test\n${SIX} dead-four.test`,
    fares: 'Scheduling retry',
    id: 'PTH-02',
    write: /buildmaster_host = '2a00:1::2'/,
    ways: `tcp: by name over IPv4; tcp: by ${DEAD} over IPv4; ${BY_SIX}`,
    changes: { said: /^(?!.*successfully)/s, told: 'over IPv4' },
  },
  {
    host: 'silent-four.test',
    hosts: `${SILENT} silent-four.test\n${SIX} silent-four.test`,
    // Each of its tries hangs for 30 s.
    fares: 'Starting factory',
    id: 'PTH-02',
    write: /buildmaster_host = '2a00:1::2'/,
    ways: `tcp: by name over IPv4; tcp: by ${SILENT} over IPv4; ${BY_SIX}`,
    changes: { said: /^(?!.*successfully)/s, told: 'over IPv4' },
  },
];

describe.skipIf(skip)('a stock worker and a name', () => {
  const until = (file: string, words: string) =>
    `for i in $(seq 600); do grep -qs "${words}" ${file} && break; sleep 0.1; done`;
  const running = async (dir: string) => {
    const master = join(dir, 'master');
    await cp(join(base.path, 'master'), master, { recursive: true });
    return {
      master,
      setup: [
        `ip neigh replace ${SILENT} lladdr 02:00:00:00:00:01 nud permanent dev v0`,
        `buildbot start --nodaemon ${master} > /dev/null 2>&1 &`,
        until(join(master, 'twistd.log'), 'BuildMaster is running'),
      ],
    };
  };

  it.each(NAMES)('$host is judged as the worker fares: $fares', async (row) => {
    const { host, hosts = '', fares, id, write } = row;
    await using temp = await tempDir();
    const worker = join(temp.path, 'worker');
    await mkdir(join(worker, 'info'), { recursive: true });
    await writeFile(
      join(worker, 'buildbot.tac'),
      TAC.replace('HOST', JSON.stringify(host)).replace('TLS', 'False'),
    );
    const log = join(worker, 'twistd.log');
    const { setup } = await running(temp.path);
    const start = `buildbot-worker start --nodaemon ${worker} > /dev/null 2>&1 &`;
    const { report } = await inLab({
      hosts,
      setup: [...setup, start, until(log, fares)],
      doctor: ['ipv6', '--stock', worker],
    });
    const said = await readFile(log, 'utf8').catch(() => '');
    expect(said).toContain(fares);
    expect(said.includes('worker is ready')).toBe(id === undefined);
    const errors = report.findings.filter(({ status }) => status === 'error');
    expect(errors.map((finding) => finding.id)).toEqual(id === undefined ? [] : [id]);
    if (write !== undefined) expect(errors[0]?.fix[0]?.text).toMatch(write);
  });

  // Names that keep a worker without TLS out for ever.
  it.each(NAMES.filter(({ host }) => host === 'six.test' || host === 'silent-four.test'))(
    '$host is reached with TLS at whichever address answers, as STK-08 advises',
    async ({ host, hosts = '' }) => {
      await using temp = await tempDir();
      const worker = join(temp.path, 'worker');
      await mkdir(join(worker, 'info'), { recursive: true });
      await writeFile(
        join(worker, 'buildbot.tac'),
        TAC.replace('HOST', JSON.stringify(host)).replace('TLS', 'True'),
      );
      const log = join(worker, 'twistd.log');
      const { master, setup } = await running(temp.path);
      const { cert, key } = issue({ subject: host, names: [host] });
      await writeFile(join(master, 'cert.pem'), cert);
      await writeFile(join(master, 'key.pem'), key);
      await writeFile(
        join(master, 'master.cfg'),
        stockConfig(String.raw`r'ssl:9989:interface=\:\::privateKey=key.pem:certKey=cert.pem'`),
      );
      const start = `SSL_CERT_FILE=${join(master, 'cert.pem')} buildbot-worker start --nodaemon ${worker} > /dev/null 2>&1 &`;
      const { report } = await inLab({
        hosts,
        setup: [...setup, start, until(log, 'worker is ready')],
        doctor: ['ipv6', '--stock', worker],
      });
      expect(await readFile(log, 'utf8')).toContain('worker is ready');
      expect(report.findings.filter(({ status }) => status === 'error')).toEqual([]);
    },
  );

  it.each(NAMES)(
    '$host is told of on the host of the master: $ways',
    async ({ host, hosts = '', ways, grave, changes }) => {
      await using temp = await tempDir();
      const { master, setup } = await running(temp.path);
      const sent = join(temp.path, 'sent');
      const to = host === SIX ? `[${SIX}]` : host;
      const change = `timeout 4 buildbot sendchange --master '${to}:9989' --auth c:c --who me --vc git file`;
      const { report } = await inLab({
        hosts,
        setup: [...setup, `${change} > ${sent} 2>&1 || true`],
        doctor: ['ipv6', '--stock', master, '--reach', host],
      });
      const [told, ...more] = report.findings.filter(({ id }) => id === 'STK-16');
      expect(more).toEqual([]);
      expect(told?.title).toMatch(/^Workers that dial \S+:9989: /);
      expect(
        told?.title
          .replace(/^Workers that dial \S+: /, '')
          .split('; ')
          .toSorted(),
      ).toEqual(ways.split('; ').toSorted());
      expect(told?.status).toBe(grave ?? 'info');
      const foretold = told?.evidence.find(({ what }) => what === `buildbot sendchange --master ${to}:PORT`);
      expect(foretold?.got).toMatch(changes === undefined ? /^over IPv4$/ : /^(not \(|over IPv4$)/);
      if (changes !== undefined) expect(foretold?.got).toContain(changes.told);
      expect(await readFile(sent, 'utf8')).toMatch(changes?.said ?? /change sent successfully/);
    },
  );
});
