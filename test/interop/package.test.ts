import { execFile } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { tempDir } from '../rigs/temp-dir.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
/** The Node that runs the tests comes first, as an installed Node 24 would. */
const PATH = `${dirname(process.execPath)}:${process.env['PATH']}`;

/** An environment in which npm finds nothing of this host's user. */
const envOf = (home: string) => ({ PATH, HOME: home, npm_config_cache: join(home, 'cache'), NO_COLOR: '1' });

/** The package, packed once for all. */
let packed: Awaited<ReturnType<typeof tempDir>>;
let tarball = '';
beforeAll(async () => {
  packed = await tempDir();
  const { path } = packed;
  await run('npm', ['pack', '--silent', '--pack-destination', path], { cwd: root, env: envOf(path) });
  const [name = ''] = (await readdir(path)).filter((file) => file.endsWith('.tgz'));
  tarball = join(path, name);
}, 120_000);
afterAll(() => packed[Symbol.asyncDispose]());

/** What the compiler says of a file, as an editor would show it; '': nothing. */
async function compilerOf(file: string): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const flags = ['--noEmit', '--strict', '--module', 'preserve', '--target', 'es2024', file];
  return run(process.execPath, [tsc, ...flags], { cwd: dirname(file) }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

describe('the published package', () => {
  it('works from its tarball in an empty prefix: version, help, a farm that builds, a configuration in TypeScript', async () => {
    await using dir = await tempDir();
    const env = envOf(dir.path);
    const prefix = join(dir.path, 'prefix');
    // Nothing but the tarball: it has no dependencies to fetch.
    const install = ['install', '--global', '--offline', '--prefix', prefix, tarball];
    await run('npm', install, { cwd: dir.path, env });
    const installed = await readdir(join(prefix, 'lib/node_modules/bbx'));
    expect(installed).not.toContain('node_modules');
    expect(installed).not.toContain('test');

    const bbx = (...args: string[]) => run(join(prefix, 'bin/bbx'), args, { cwd: dir.path, env });
    expect((await bbx('--version')).stdout).toBe(`${manifest.version}\n`);
    expect((await bbx('--help')).stdout).toContain('create-master');
    const farm = await bbx('quickstart', '--once');
    expect(farm.stderr).toContain('ended as success');
    await bbx('create-master', 'coded', '--format', 'ts', '--run', 'echo hello');
    expect((await bbx('config', 'check', '--dir', 'coded')).stdout + '').not.toContain('error');
  }, 120_000);

  it('brings types for master.config.ts that need nothing beside them', async () => {
    await using dir = await tempDir();
    const env = envOf(dir.path);
    const install = ['install', '--offline', '--prefix', dir.path, tarball];
    await run('npm', install, { cwd: dir.path, env });
    const check = async (name: string, code: string) => {
      const file = join(dir.path, name);
      await writeFile(file, code);
      return compilerOf(file);
    };

    const page = await readFile(join(root, 'docs/configuration.md'), 'utf8');
    const [, example = ''] = /```ts\n(.*?)```/s.exec(page) ?? [];
    expect(example).toContain("import { defineMaster } from 'bbx';");
    expect(await check('example.config.ts', example)).toBe('');

    const bbx = join(dir.path, 'node_modules/.bin/bbx');
    await run(bbx, ['create-master', 'coded', '--format', 'ts', '--run', 'make'], { cwd: dir.path, env });
    const rendered = await readFile(join(dir.path, 'coded/master.config.ts'), 'utf8');
    expect(await check('rendered.config.ts', rendered)).toBe('');

    expect(await check('wrong.config.ts', rendered.replace('builders:', 'bilders:'))).toContain("'bilders'");
  }, 120_000);
});
