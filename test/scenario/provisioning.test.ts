import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { WorkerObject } from '../../src/api/objects.ts';
import { BIN, bbxOk, startBbx } from '../rigs/bbx.ts';
import { has } from '../rigs/debian.ts';
import { freePort } from '../rigs/farm.ts';
import { tempDir } from '../rigs/temp-dir.ts';

const run = promisify(execFile);
const examples = fileURLToPath(new URL('../../examples/provisioning', import.meta.url));

/** An environment in which `bbx` is a command, as on a machine where it is installed. */
async function machine(path: string): Promise<Record<string, string>> {
  await mkdir(join(path, 'bin'));
  await symlink(BIN, join(path, 'bin', 'bbx'));
  return {
    PATH: `${join(path, 'bin')}:${dirname(process.execPath)}:${process.env['PATH']}`,
    HOME: path,
    NO_COLOR: '1',
  };
}

/** Every file under a directory with its mode and the hash of its content; the store's own files change when it is opened. */
async function picture(dir: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await readdir(dir, { recursive: true })) {
    const info = await stat(join(dir, name));
    if (!info.isFile() || /state\.sqlite-|\/lock/.test(name)) continue;
    const hash = createHash('sha256')
      .update(await readFile(join(dir, name)))
      .digest('hex');
    found[name] = `${(info.mode & 0o777).toString(8)} ${hash}`;
  }
  return found;
}

describe('the provisioning examples', () => {
  it('provision.sh makes a master and three workers that work together, and changes nothing when it runs again', async () => {
    await using dir = await tempDir();
    const farm = join(dir.path, 'farm');
    const address = `[::1]:${await freePort('::1')}`;
    const env = {
      ...(await machine(dir.path)),
      ...{ FARM: farm, LISTEN: address, REACH: address },
      // The usual port may belong to another farm on this machine, such as the one that runs these tests.
      BBX_WEB_LISTEN: '[::1]:0',
    };
    await run('sh', [join(examples, 'provision.sh')], { env });
    const first = await picture(farm);
    expect(Object.keys(first)).toContain('linux-3/worker.yaml');
    expect(first['master/identity/key.pem']).toMatch(/^600 /);
    await run('sh', [join(examples, 'provision.sh')], { env });
    expect(await picture(farm)).toEqual(first);

    const cwd = { cwd: dir.path };
    await using _master = startBbx(['run', 'master', join(farm, 'master')], cwd);
    await bbxOk(['status', '--wait', '20s', '--dir', join(farm, 'master')], cwd);
    const names = ['linux-1', 'linux-2', 'linux-3'];
    await using programs = new AsyncDisposableStack();
    for (const name of names) programs.use(startBbx(['run', 'worker', join(farm, name)], cwd));
    for (const name of names)
      await bbxOk(['worker', 'show', name, '--wait', 'attached', '--dir', join(farm, 'master')], cwd);
    const listed = await bbxOk(['worker', 'list', '--json', '--dir', join(farm, 'master')], cwd);
    const workers = listed.json<WorkerObject[]>();
    expect(workers.map(({ name, attached, tags }) => [name, attached, tags])).toEqual(
      names.map((name) => [name, true, ['linux']]),
    );
  });

  it('the cloud-init user data makes a worker from a join string that was made before any master', async () => {
    await using dir = await tempDir();
    const env = await machine(dir.path);
    const identity = join(dir.path, 'identity.json');
    const made = await bbxOk(
      ['identity', 'new', '--reach', 'farm.example:9989', '--worker', 'cloud-1', '--out', identity, '--json'],
      { cwd: dir.path },
    );
    const joins = made.json<{ workers: { name: string; join: string }[] }>();
    const text = (await readFile(join(examples, 'cloud-init.yaml'), 'utf8')).replace(
      'JOIN\n',
      `${joins.workers[0]?.join}\n`,
    );
    const data = parse(text) as {
      write_files: { path: string; permissions: string; content: string }[];
      runcmd: (string | string[])[];
    };
    // docs/cli.md: what the keeper runs must outlive the worker's process.
    const unit = data.write_files.find(({ path }) => path.endsWith('.service'))?.content;
    expect(unit).toMatch(/^NotifyAccess=all$[^]*^KillMode=process$/m);
    const inside = (word: string) => word.replaceAll(/(?<![\w.])\/(etc|srv)\//g, `${dir.path}/$1/`);

    const boot = async () => {
      for (const file of data.write_files) {
        await mkdir(dirname(inside(file.path)), { recursive: true });
        await writeFile(inside(file.path), file.content);
        await chmod(inside(file.path), parseInt(file.permissions, 8));
      }
      for (const command of data.runcmd) {
        // As cloud-init does: a text by the shell, a list executed directly. Its service manager is not started from a test.
        if (typeof command === 'string')
          await run('sh', ['-c', command.replace('/run/systemd/system', join(dir.path, 'none'))], { env });
        else await run(command[0] ?? '', command.slice(1).map(inside), { env });
      }
      return picture(join(dir.path, 'srv'));
    };
    const first = await boot();
    expect(Object.keys(first)).toContain('bbx/worker/worker.yaml');
    expect(first['bbx/worker/join']).toMatch(/^600 /);
    expect(await boot()).toEqual(first);
    expect(await readFile(join(dir.path, 'srv/bbx/worker/worker.yaml'), 'utf8')).toContain(
      'farm.example:9989',
    );
  });

  it.skipIf(!has('ansible-playbook'))(
    'the Ansible play makes master and workers, and reports no change the second time',
    async () => {
      await using dir = await tempDir();
      const env = {
        ...(await machine(dir.path)),
        ANSIBLE_LOCAL_TEMP: join(dir.path, 'tmp'),
        ANSIBLE_REMOTE_TEMP: join(dir.path, 'tmp'),
        ANSIBLE_HOME: join(dir.path, 'ansible'),
        LC_ALL: 'C.UTF-8',
      };
      const farm = join(dir.path, 'farm');
      const inventory = join(dir.path, 'inventory');
      const local = 'ansible_connection=local ansible_python_interpreter=/usr/bin/python3';
      await writeFile(
        inventory,
        `[master]\nfarm-master ${local}\n[workers]\nlinux-1 ${local}\nlinux-2 ${local}\n`,
      );
      const play = async () => {
        const { stdout } = await run(
          'ansible-playbook',
          [
            '-i',
            inventory,
            '-e',
            `farm_dir=${farm}`,
            '-e',
            'farm_reach=farm.example:9989',
            join(examples, 'ansible.yaml'),
          ],
          { env, cwd: dir.path },
        );
        return stdout;
      };
      expect(await play()).toMatch(/linux-1\s+: ok=\d+\s+changed=1 .*failed=0/);
      const first = await picture(farm);
      expect(Object.keys(first)).toEqual(
        expect.arrayContaining(['master/master.yaml', 'linux-1/worker.yaml', 'linux-2/join']),
      );
      const second = await play();
      expect(second).not.toMatch(/changed=[1-9]/);
      expect(second).not.toMatch(/(failed|unreachable)=[1-9]/);
      expect(await picture(farm)).toEqual(first);
    },
  );
});
