import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readStock } from '../../../src/diagnostics/doors/stock.ts';
import { runStock } from '../../../src/diagnostics/doors/stock-run.ts';
import { skipAloud } from '../../rigs/skip-aloud.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

/** As much of Buildbot as loads a configuration; the real one takes seconds to be imported (test/lab has it). */
const BUILDBOT: Readonly<Record<string, string>> = {
  'lib/buildbot/__init__.py': 'version = "9.9"\n',
  'lib/buildbot/config/__init__.py': '',
  'lib/buildbot/config/errors.py':
    'class ConfigErrors(Exception):\n    def __init__(self, errors):\n        self.errors = errors\n',
  'lib/buildbot/config/master.py': [
    'import os',
    'from buildbot.config.errors import ConfigErrors',
    'def loadConfigDict(basedir, name):',
    '    told = {"__file__": name}',
    '    exec(open(os.path.join(basedir, name)).read(), told)',
    '    return name, told["BuildmasterConfig"]',
    'class MasterConfig:',
    '    @classmethod',
    '    def loadFromDict(cls, config, name):',
    '        if "bad" in config:',
    '            raise ConfigErrors(["Unknown BuildmasterConfig key bad", "at https://me:secret@git.example/"])',
    '',
  ].join('\n'),
};

async function run(config: string, limitMs?: number) {
  await using dir = await tempDir();
  const put = async (path: string, text: string) => {
    const file = join(dir.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  for (const [path, text] of Object.entries(BUILDBOT)) await put(path, text);
  await chmod(await put('venv/bin/buildbot', '#!/usr/bin/env python3\n'), 0o755);
  await put('master/master.cfg', config);
  const stock = await readStock(['master'], dir.path, true);
  const env = { PATH: process.env['PATH'], PYTHONPATH: join(dir.path, 'lib'), WEB: '8011' };
  const door = { env, signal: new AbortController().signal, ...(limitMs === undefined ? {} : { limitMs }) };
  const [file] = (await runStock(stock, door)).masters;
  if (file?.run === undefined) throw new Error('it was not run');
  const settings = Object.fromEntries(
    file.master.listeners.map(({ key, setting }) => [
      key,
      setting.sure ? setting.written[0]?.value : 'unknown',
    ]),
  );
  return { run: file.run, settings, dir: dir.path };
}
const PB = "c['protocols']['pb']['port']";
const WWW = "c['www']['port']";

describe.skipIf(
  skipAloud(
    'configurations that are run',
    spawnSync('python3', ['-V']).status === 0 ? undefined : 'missing python3',
  ),
)('a configuration that is run with --exec-config', () => {
  it('tells what its ports become, whatever it prints', async () => {
    const { run: told, settings } = await run(
      [
        'import os, sys',
        'c = BuildmasterConfig = {}',
        'print("bbx-doctor-0 {}"); sys.stderr.write("no\\n" * 1000)',
        'c["protocols"] = {"pb": {"port": "tcp:%d" % 9989}}',
        'c["www"] = dict(port=int(os.environ["WEB"]))',
      ].join('\n'),
    );
    expect(told).toMatchObject({ outcome: 'good', version: '9.9', errors: [] });
    expect(settings).toEqual({ [PB]: 'tcp:9989', [WWW]: 8011 });
  });

  it.each([
    [
      'what Buildbot says of it, without passwords of addresses',
      'c = BuildmasterConfig = {"bad": 1}\n',
      { outcome: 'errors', errors: ['Unknown BuildmasterConfig key bad', 'at https://git.example/'] },
    ],
    ['that it raises', 'raise RuntimeError("x" * 9999)\n', { outcome: 'errors' }],
    ['that it leaves', 'import sys; sys.exit(3)\n', { outcome: 'errors', errors: ['SystemExit: 3'] }],
    ['nothing of one that ends Python itself', 'import os; os._exit(0)\n', { outcome: 'failed', errors: [] }],
    [
      'nothing of a value that is none',
      'class P(int): pass\nc = BuildmasterConfig = {"protocols": 7, "www": None}\n',
      { outcome: 'good' },
    ],
  ])('tells %s', async (_title, config, expected) => {
    const { run: told } = await run(config);
    expect(told.outcome).toBe(expected.outcome);
    if ('errors' in expected) expect(told.errors).toEqual(expected.errors);
    expect(JSON.stringify(told)).not.toContain('secret');
    expect(JSON.stringify(told).length).toBeLessThan(4_000);
  });

  it('ends it at the limit, and what it has started', async () => {
    const { run: told } = await run(
      'import subprocess, time\nsubprocess.Popen(["setsid", "sleep", "1234567"])\ntime.sleep(99)\n',
      1_500,
    );
    expect(told.outcome).toBe('late');
    const all = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(all).not.toContain('sleep 1234567');
  });
});
