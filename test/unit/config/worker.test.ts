import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plainDocument } from '../../../src/config/document.ts';
import { effectiveWorker } from '../../../src/config/effective.ts';
import { examine } from '../../../src/config/load.ts';
import { loadWorker, workerLanguage } from '../../../src/config/worker.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { examineWorker, lines } from './examine.ts';

const PIN = `sha256:${'A'.repeat(43)}`;
const WHOLE = `name: linux-1
master: "[2001:db8::2]:9989"
pin: "${PIN}"
via: ["ssh:me@common.example"]
maxBuilds: 2
tags: [linux]
drainTimeout: 0s
runAs: builder
spoolLimit: 512MB
`;

describe('a worker.yaml', () => {
  it('gives checked values', async () => {
    const { config, problems } = await examineWorker(WHOLE);
    expect(problems).toEqual([]);
    expect(config).toEqual({
      name: 'linux-1',
      master: [{ kind: 'tcp', host: '2001:db8::2', port: 9989 }],
      pins: [PIN],
      via: [{ kind: 'ssh', user: 'me', host: 'common.example', port: undefined }],
      maxBuilds: 2,
      tags: ['linux'],
      drainTimeoutMs: 0,
      runAs: 'builder',
      spoolLimitBytes: 512 * 1024 ** 2,
    });
    const again =
      config && (await examine(workerLanguage, plainDocument('x', effectiveWorker(config)), '/w'));
    expect(again).toEqual({ config, problems: [] });
  });

  it.each([
    ['master: x\n', '1:1 "name" is missing [it must be text]'],
    ['name: a\nmaster: "h:0x"\n', '2:12 "h:0x": the port is not a number [Write a number from 1 to 65535]'],
    [
      'name: a b\nmaster: x\n',
      '1:7 "a b" is not a name: it starts with a letter or digit and has only letters, digits and . _ - (at most 100)',
    ],
    [
      'name: a\nmaster: x\npin: "sha256:x"\n',
      '3:6 "sha256:x" is not a pin: it must be sha256: and 43 characters of base64url [copy the line that "bbx run master" prints, or take it from the join string]',
    ],
    [
      'name: a\nmaster: x\nspoolLimit: 5\n',
      '3:13 "spoolLimit" must be text, not the number 5 [put it in quotes: "5"]',
    ],
    ['name: a\nmaster: x\nspoolLimit: 1KB\n', '3:13 "1KB" is too small [write 1MB or more]'],
    ['name: a\nmaster: x\nmaxBuilds: 0\n', '3:12 must be at least 1'],
    [
      'name: a\nmaster: x\npassword: y\n',
      '3:1 unknown key "password" [known here: $schema, name, master, pin, via, maxBuilds, tags, drainTimeout, runAs, spoolLimit]',
    ],
  ])('%j says %s', async (text, problem) => {
    expect(lines((await examineWorker(text)).problems)).toContain(problem);
  });

  it('takes several ways from the environment', async () => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, 'worker.yaml'), 'name: a\nmaster: x\n');
    const { config } = await loadWorker(dir.path, {
      env: { BBX_CONFIG_MASTER: 'a.example,b.example:1', BBX_CONFIG_MAX_BUILDS: '3', BBX_NAME: 'not this' },
    });
    expect(config.master).toHaveLength(2);
    expect(config.maxBuilds).toBe(3);
  });
});
