import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { bbx } from '../rigs/bbx.ts';
import { has } from '../rigs/debian.ts';
import { freePort } from '../rigs/farm.ts';
import { startTinyproxy, type ProxyProgram } from '../rigs/proxies.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { makeTemplate, startStock, stockConfig, type StockProgram } from '../rigs/stock-buildbot.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const skip = skipAloud(
  'the doctor beside a real stock worker',
  has('buildbot') && has('buildbot-worker') && has('tinyproxy')
    ? undefined
    : 'Buildbot or tinyproxy is not installed (Debian: buildbot, buildbot-worker, tinyproxy-bin)',
);

let base: Awaited<ReturnType<typeof tempDir>>;
let master: StockProgram;
let port: number;
let proxy: ProxyProgram;
beforeAll(async () => {
  base = await tempDir();
  if (skip) return;
  const dir = join(base.path, 'master');
  port = await freePort('::1');
  makeTemplate(dir);
  await writeFile(join(dir, 'master.cfg'), stockConfig(String.raw`r'tcp:${port}:interface=\:\:'`));
  proxy = await startTinyproxy(base.path);
  master = startStock('buildbot', dir);
  await master.logged(/BuildMaster is running/);
});
afterAll(async () => {
  if (!skip) await Promise.all([master[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()]);
  await base[Symbol.asyncDispose]();
});

/** At its start, with a traceback. */
const ENDS = /ends/;

/** Stands for a finding where there is none. */
const NOTHING = 'nothing';

/** The words of `Worker(…)` that say where the master is (`@` is its port, `%` the proxy's), and how a worker with them fares before it is mended. */
const WORKERS: [words: string, id: string, fares: RegExp][] = [
  ["'::1', @", NOTHING, /worker is ready/],
  [String.raw`None, None, connection_string=r'tcp:host=\:\:1:port=@'`, NOTHING, /worker is ready/],
  ["'[::1]', @", 'STK-08', /Scheduling retry/],
  ["None, None, connection_string='tcp:host=::1:port=@'", 'STK-04', /Scheduling retry/],
  ["None, None, connection_string='tcp:host=[::1]:port=@'", 'STK-04', ENDS],
  [String.raw`None, None, connection_string=r'tcp:host=\\:\\:1:port=@'`, 'STK-02', /Scheduling retry/],
  [String.raw`None, None, connection_string=r'tcp6:host=\:\:1:port=@'`, 'STK-06', ENDS],
  [String.raw`'::1', @, connection_string=r'tcp:host=\:\:1:port=@'`, 'STK-11', ENDS],
  // This proxy takes both; others want the brackets.
  ["'[::1]', @, proxy_connection_string='tcp:127.0.0.1:%'", NOTHING, /worker is ready/],
  ["'::1', @, proxy_connection_string='tcp:127.0.0.1:%'", 'PRX-04', /worker is ready/],
];

/** A `buildbot.tac` with the habits of an editor on Windows: they stay. */
function tacOf(words: string): Buffer {
  const at = words.search(/, (?:(?:proxy_)?connection_string|protocol|useTls)=/);
  const [positional, named] = at < 0 ? [words, undefined] : [words.slice(0, at), words.slice(at + 2)];
  const lines = [
    '# für die Rechner im Keller',
    'import os',
    'from buildbot_worker.bot import Worker',
    'from twisted.application import service',
    'from twisted.python.logfile import LogFile',
    'from twisted.python.log import ILogObserver, FileLogObserver',
    'basedir = os.path.abspath(os.path.dirname(__file__))',
    "application = service.Application('buildbot-worker')",
    "logfile = LogFile.fromFullPath(os.path.join(basedir, 'twistd.log'))",
    'application.setComponent(ILogObserver, FileLogObserver(logfile).emit)',
    `s = Worker(${positional}, 'w1', 'hunter2', basedir, 60${named === undefined ? '' : `, ${named}`})`,
    's.setServiceParent(application)',
    '',
  ];
  return Buffer.from(lines.join('\r\n'));
}

describe.skipIf(skip)('a stock worker', () => {
  it.each(WORKERS)(
    'that is given %s has trouble by %s, and gets in when it is mended',
    async (words, id, fares) => {
      await using temp = await tempDir();
      const dir = join(temp.path, 'worker');
      const file = join(dir, 'buildbot.tac');
      await mkdir(join(dir, 'info'), { recursive: true });
      const before = tacOf(words.replaceAll('@', String(port)).replace('%', String(proxy.port)));
      await writeFile(file, before);
      {
        await using worker = startStock('buildbot-worker', dir);
        if (fares === ENDS) expect(await worker.ended()).toBe(1);
        else await worker.logged(fares);
      }
      const found = await bbx(['doctor', 'config', dir, '--json'], { cwd: temp.path });
      const grave = found
        .json<DoctorReport>()
        .findings.filter(({ status }) => status === 'error' || status === 'warn');
      expect(grave.map((finding) => finding.id)).toEqual(id === NOTHING ? [] : [id]);
      expect(found.stdout).not.toContain('hunter2');
      if (id === NOTHING) return;

      const mended = await bbx(['doctor', 'config', dir, '--fix', '--yes'], { cwd: temp.path });
      expect(mended).toMatchObject({ code: 0 });
      expect(mended.stdout).not.toContain('hunter2');
      const after = await readFile(file);
      expect(after.includes(Buffer.from('für die Rechner im Keller\r\n'))).toBe(true);
      expect(after.toString('latin1').split('\r\n').length).toBe(
        before.toString('latin1').split('\r\n').length,
      );
      await using worker = startStock('buildbot-worker', dir);
      await worker.logged(/worker is ready/);
    },
  );

  // There is no line that mends these: a name must be written, or pb.
  it.each([
    ["'::1', @, useTls=True", 'STK-09'],
    ["'::1', @, protocol='msgpack_experimental_v7'", 'STK-10'],
    [
      `None, None, protocol='msgpack_experimental_v7', connection_string='tcp:host=localhost:port=@'`,
      'STK-10',
    ],
    [`None, None, protocol='msgpack_experimental_v7', connection_string='ws://[fd00:bb::1]:@'`, 'STK-10'],
  ])('that is given %s ends at its start, and the doctor says %s', async (words, id) => {
    await using temp = await tempDir();
    const dir = join(temp.path, 'worker');
    await mkdir(join(dir, 'info'), { recursive: true });
    await writeFile(join(dir, 'buildbot.tac'), tacOf(words.replaceAll('@', String(port))));
    await using worker = startStock('buildbot-worker', dir);
    expect(await worker.ended()).toBe(1);
    const { findings } = (
      await bbx(['doctor', 'config', dir, '--json'], { cwd: temp.path })
    ).json<DoctorReport>();
    const grave = findings.filter(({ status }) => status === 'error' || status === 'warn');
    expect(grave.map((finding) => finding.id)).toEqual([id]);
    expect(grave[0]?.fix[0]?.text).toMatch(/name|pb/);
  });
});
