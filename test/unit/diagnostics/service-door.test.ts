import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readService } from '../../../src/diagnostics/doors/service.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { program } from './recorded.ts';

/** In the form of `systemctl show`, written down by hand: no systemd ran here. */
const SHOWN = `RestrictAddressFamilies=AF_INET AF_UNIX
IPAddressDeny=
PrivateNetwork=no
Type=notify
NRestarts=3
Result=exit-code
ExecMainStatus=11
User=root
LoadState=loaded
ActiveState=activating
SubState=auto-restart
UnitFileState=enabled
After=systemd-journald.socket network-online.target basic.target
NeedDaemonReload=no
`;

async function machine(dir: string, units: Record<string, string>, systemd = true) {
  const files = { ...units, ...(systemd ? { 'run/systemd/system/.keep': '' } : {}) };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

const signal = new AbortController().signal;
const worker = program({ dir: '/srv/farm/worker' });
const unit = (line: string, within = '/srv') =>
  `[Service]\nWorkingDirectory=${within}\nExecStart=${line}\nRestart=on-failure\n`;

function ask(root: string, of: string | null = null) {
  const asked: string[][] = [];
  const show = async (words: readonly string[]) => {
    asked.push([...words]);
    return { exit: 0, stdout: SHOWN, complaint: '', missing: false };
  };
  return { asked, answer: readService(worker, of, { signal, root, show }) };
}

describe('the unit of a program', () => {
  it('is not looked for where systemd does not run the machine', async () => {
    await using dir = await tempDir();
    await machine(dir.path, {}, false);
    const { asked, answer } = ask(dir.path, 'bbx-worker.service');
    expect((await answer).state).toBe('none');
    expect(asked).toEqual([]);
  });

  it('is the one that the process belongs to', async () => {
    await using dir = await tempDir();
    await machine(dir.path, {});
    const { asked, answer } = ask(dir.path, 'ci.service');
    expect(await answer).toMatchObject({
      state: 'known',
      unit: 'ci.service',
      properties: { SubState: 'auto-restart', RestrictAddressFamilies: 'AF_INET AF_UNIX', IPAddressDeny: '' },
      runner: { name: 'root', uid: 0 },
    });
    expect(asked[0]?.slice(0, 2)).toEqual(['show', 'ci.service']);
  });

  it.each([
    ['names the directory', unit('/usr/bin/bbx run worker /srv/farm/worker/'), 'known'],
    ['works in it', unit('/usr/bin/bbx run worker', '/srv/farm/worker'), 'known'],
    ['works above it', unit('/usr/bin/node /opt/bbx/bin/bbx run worker', '/srv/farm'), 'known'],
    ['runs another directory', unit('/usr/bin/bbx run worker /srv/other/worker'), 'no unit'],
    ['runs another role', unit('/usr/bin/bbx run master /srv/farm/worker'), 'no unit'],
    ['runs something else', unit('/usr/bin/rsync /srv/farm/worker /mnt'), 'no unit'],
  ])('is found when its file %s', async (_title, text, state) => {
    await using dir = await tempDir();
    await machine(dir.path, { 'etc/systemd/system/farm.service': text });
    expect((await ask(dir.path).answer).state).toBe(state);
  });

  it('is not taken from the session of a person who started the program by hand', async () => {
    await using dir = await tempDir();
    await machine(dir.path, {});
    expect((await ask(dir.path, 'user@1000.service').answer).state).toBe('no unit');
  });
});
