import { execFileSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorReport, Finding } from '../../src/api/doctor.ts';
import { bbx } from '../rigs/bbx.ts';
import { issue } from '../rigs/certificates.ts';
import { has } from '../rigs/debian.ts';
import { freePort } from '../rigs/farm.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import {
  makeStockMaster,
  makeTemplate,
  openFamilies,
  startStock,
  stockConfig,
} from '../rigs/stock-buildbot.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const skip = skipAloud(
  'the doctor beside a real stock Buildbot',
  has('buildbot') && has('buildbot-worker')
    ? undefined
    : 'Buildbot is not installed (Debian: buildbot, buildbot-worker)',
);

/** Debian's own, whose packages hold Buildbot. */
const PYTHON = '/usr/bin/python3';
const CHECK = fileURLToPath(new URL('../fixtures/stock/checkconfig.py', import.meta.url));

let base: Awaited<ReturnType<typeof tempDir>>;
beforeAll(async () => {
  base = await tempDir();
  if (skip) return;
  const template = join(base.path, 'template');
  makeTemplate(template);
  const { cert, key } = issue({ subject: 'localhost', names: ['localhost'] });
  await writeFile(join(template, 'cert.pem'), cert);
  await writeFile(join(template, 'key.pem'), key);
});
afterAll(() => base[Symbol.asyncDispose]());

const BOTH = ['127.0.0.1', '::1'];

/** Stands for a finding where there is none. */
const NOTHING = 'nothing';

/** What stands as the port (`@` is a free one), what opens, and which check says so; and what opens with the line that is advised. */
const PORTS: [port: string, opens: string[], id: string, advised: string[]][] = [
  [String.raw`r'tcp:@:interface=\:\:'`, BOTH, NOTHING, []],
  [String.raw`r'tcp:@:interface=\:\:1'`, ['::1'], NOTHING, []],
  [String.raw`'tcp:@:interface=\\:\\:'`, BOTH, NOTHING, []],
  ['@', ['127.0.0.1'], 'STK-07', BOTH],
  ["'@'", ['127.0.0.1'], 'STK-07', BOTH],
  ["'tcp:@'", ['127.0.0.1'], 'STK-07', BOTH],
  ["'tcp:@:interface=0.0.0.0'", ['127.0.0.1'], 'STK-07', BOTH],
  ["'tcp:@:interface=::'", [], 'STK-01', BOTH],
  ["'tcp:@:interface=::1'", [], 'STK-01', ['::1']],
  ["'tcp:@:interface=[::]'", [], 'STK-01', BOTH],
  ["'tcp:[::]:@'", [], 'STK-01', BOTH],
  [String.raw`r'tcp:@:interface=[\:\:]'`, [], 'STK-01', BOTH],
  ["'tcp6:@'", [], 'STK-01', BOTH],
  ["'tcp6:@:interface=::'", [], 'STK-01', BOTH],
  [String.raw`r'tcp:@:interface=\\:\\:'`, [], 'STK-02', BOTH],
  [String.raw`'tcp:@:interface=\:\:'`, BOTH, 'STK-03', BOTH],
  ["'tcp:@:'", ['127.0.0.1'], 'STK-05', BOTH],
  ["'tcp: @'", ['127.0.0.1'], 'STK-05', BOTH],
  ["'TCP:@'", [], 'STK-06', BOTH],
  ["'tcp:@:interface=localhost'", ['127.0.0.1'], 'STK-15', ['::1']],
  [String.raw`r'ssl:@:privateKey=key.pem:certKey=cert.pem:interface=\:\:'`, BOTH, NOTHING, []],
  ["'ssl:@:privateKey=key.pem:certKey=cert.pem'", ['127.0.0.1'], 'STK-07', BOTH],
  ["'ssl:@:interface=::1:privateKey=key.pem:certKey=cert.pem'", [], 'STK-01', ['::1']],
];

describe.skipIf(skip)('a stock master', () => {
  /** Lines that were advised, and what a master with them listened on. */
  const seen = new Map<string, string[]>();

  it('passes its own check with every one of the ports', async () => {
    await using temp = await tempDir();
    const dirs = PORTS.map((_, index) => join(temp.path, String(index)));
    for (const [index, [port]] of PORTS.entries()) {
      const config = stockConfig(port.replace('@', '9989'));
      await makeStockMaster(dirs[index] ?? '', join(base.path, 'template'), config);
    }
    const said = execFileSync(PYTHON, [CHECK, ...dirs], { encoding: 'utf8' });
    expect(said.trim().split('\n')).toEqual(PORTS.map(() => 'Config file is good!'));
  });

  it.each(PORTS)('with the port %s opens %j, and the doctor says %s', async (port, opens, id, advised) => {
    await using temp = await tempDir();
    const free = await freePort('::1');
    const dir = join(temp.path, 'master');
    await makeStockMaster(dir, join(base.path, 'template'), stockConfig(port.replace('@', String(free))));
    {
      await using master = startStock('buildbot', dir);
      await master.logged(/BuildMaster is running/);
      expect(await openFamilies(free)).toEqual(opens);
      const grave = await troubles(['ipv6', '--stock', dir], temp.path);
      expect(grave.map((finding) => finding.id)).toEqual(id === NOTHING ? [] : [id]);
      if (opens.length === 0)
        expect(JSON.stringify(grave[0]?.evidence)).toContain('nothing listens on its port');
    }
    if (id === NOTHING) return;
    const before = await readFile(join(dir, 'master.cfg'), 'utf8');
    const line = /^Write (.+) in line (\d+)/.exec(
      (await troubles(['config', dir, '--only', id], temp.path, true))[0]?.fix[0]?.text ?? '',
    );
    expect(line?.[1]).not.toContain('tcp6');
    // The same line was seen listening before.
    const shape = line?.[1]?.replace(String(free), '@') ?? '';
    const known = seen.get(shape);
    if (known !== undefined) return expect(known).toEqual(advised);
    const lines = before.split('\n');
    const place = Number(line?.[2]) - 1;
    lines[place] = lines[place]?.replace(/'port': .*?\}/, `'port': ${line?.[1]}}`) ?? '';
    await writeFile(join(dir, 'master.cfg'), lines.join('\n'));
    await rm(join(dir, 'twistd.log'), { force: true });
    await using mended = startStock('buildbot', dir);
    await mended.logged(/BuildMaster is running/);
    const opened = await openFamilies(free);
    expect(opened).toEqual(advised);
    seen.set(shape, opened);
  });

  // msgpack takes a number alone, and listens on IPv4 alone: there is no line to write.
  it.each([
    ['@', /BuildMaster is running/, ['127.0.0.1'], 'STK-07'],
    [String.raw`r'tcp:@:interface=\:\:'`, /BuildMaster startup failed/, [], 'STK-01'],
  ] as const)(
    'with the msgpack port %s says %s, opens %j, and the doctor says %s',
    async (port, says, opens, id) => {
      await using temp = await tempDir();
      const free = await freePort('::1');
      const dir = join(temp.path, 'master');
      const config = stockConfig(port.replace('@', String(free))).replace(
        "{'pb':",
        "{'msgpack_experimental_v7':",
      );
      await makeStockMaster(dir, join(base.path, 'template'), config);
      await using master = startStock('buildbot', dir);
      await master.logged(says);
      expect(await openFamilies(free)).toEqual(opens);
      const grave = await troubles(['config', dir], temp.path, true);
      expect(grave.map((finding) => finding.id)).toEqual([id]);
    },
  );
});

/** Findings that count; with `facts`, all of them. */
async function troubles(words: readonly string[], cwd: string, facts = false): Promise<Finding[]> {
  const ran = await bbx(['doctor', ...words, '--json'], { cwd });
  const { findings } = ran.json<DoctorReport>();
  return findings.filter(
    ({ id, status }) => id.startsWith('STK') && (facts || status === 'error' || status === 'warn'),
  );
}
