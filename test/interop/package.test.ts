import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { tempDir } from '../rigs/temp-dir.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
/** The Node that runs the tests comes first, as an installed Node 24 would. */
const PATH = `${dirname(process.execPath)}:${process.env['PATH']}`;

describe('the published package', () => {
  it('works from its tarball in an empty prefix: version, help, a farm that builds, a configuration in TypeScript', async () => {
    await using dir = await tempDir();
    const env = { PATH, HOME: dir.path, npm_config_cache: join(dir.path, 'cache'), NO_COLOR: '1' };
    await run('npm', ['pack', '--silent', '--pack-destination', dir.path], { cwd: root, env });
    const [tarball] = (await readdir(dir.path)).filter((name) => name.endsWith('.tgz'));
    const prefix = join(dir.path, 'prefix');
    // Nothing but the tarball: it has no dependencies to fetch.
    const install = ['install', '--global', '--offline', '--prefix', prefix, join(dir.path, tarball ?? '')];
    await run('npm', install, { cwd: dir.path, env });
    const packed = await readdir(join(prefix, 'lib/node_modules/bbx'));
    expect(packed).not.toContain('node_modules');
    expect(packed).not.toContain('test');

    const bbx = (...args: string[]) => run(join(prefix, 'bin/bbx'), args, { cwd: dir.path, env });
    expect((await bbx('--version')).stdout).toBe(`${manifest.version}\n`);
    expect((await bbx('--help')).stdout).toContain('create-master');
    const farm = await bbx('quickstart', '--once');
    expect(farm.stderr).toContain('ended as success');
    await bbx('create-master', 'coded', '--format', 'ts', '--run', 'echo hello');
    expect((await bbx('config', 'check', '--dir', 'coded')).stdout + '').not.toContain('error');
  }, 120_000);
});
