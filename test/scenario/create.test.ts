import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadMaster } from '../../src/config/master.ts';
import { schemaText } from '../../src/config/schema-text.ts';
import { loadWorker } from '../../src/config/worker.ts';
import { joinsFile } from '../../src/config/joins-file.ts';
import { pinOf } from '../../src/net/tls/pin.ts';
import { parseJoin } from '../../src/protocol/bbx/join.ts';
import { secretHash } from '../../src/store/joins.ts';
import { bbx, bbxOk } from '../rigs/bbx.ts';
import { tempDir } from '../rigs/temp-dir.ts';

interface Created {
  dir: string;
  files: string[];
  changed: boolean;
}

/** Every file below a directory with mode and content, so that "nothing changed" can be proven. */
async function everything(dir: string): Promise<Record<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode } = await stat(path);
      const content = entry.isFile() ? await readFile(path, 'utf8') : '';
      return [relative(dir, path), `${(mode & 0o777).toString(8)} ${content}`] as const;
    }),
  );
  return Object.fromEntries(found);
}

async function modeOf(...path: string[]): Promise<string> {
  return ((await stat(join(...path))).mode & 0o777).toString(8);
}

describe("the owner's lines, in one empty directory without a terminal", () => {
  it('make a master and a worker that hold, and twice change nothing', async () => {
    await using dir = await tempDir();
    const cwd = dir.path;
    const master = (await bbxOk(['create-master', '--json'], { cwd })).json<Created>();
    expect(master).toMatchObject({ dir: join(cwd, 'master'), changed: true });
    const worker = (
      await bbxOk(['create-worker', '--master', 'host:9989', '--json'], { cwd })
    ).json<Created>();
    expect(worker).toMatchObject({ dir: join(cwd, 'worker'), changed: true });

    expect((await loadMaster(join(cwd, 'master'))).warnings).toEqual([]);
    const { config } = await loadWorker(join(cwd, 'worker'));
    expect(config.master).toEqual([{ kind: 'tcp', host: 'host', port: 9989 }]);
    expect(hostname()).toContain(config.name.slice(0, 3));
    // A built bbx has these texts ready.
    for (const role of ['master', 'worker'] as const)
      expect(await readFile(join(cwd, role, `${role}.schema.json`), 'utf8')).toBe(await schemaText(role));

    const before = await everything(cwd);
    expect((await bbxOk(['create-master', '--json'], { cwd })).json()).toMatchObject({ changed: false });
    expect((await bbxOk(['create-worker', '--master', 'host:9989', '--json'], { cwd })).json()).toMatchObject(
      { changed: false },
    );
    expect(await everything(cwd)).toEqual(before);
  });
});

describe('create-master', () => {
  it('keeps keys and secrets away from others, whatever the umask', async () => {
    await using dir = await tempDir();
    await bbxOk(['create-master', 'farm'], { cwd: dir.path });
    const farm = join(dir.path, 'farm');
    expect(await modeOf(farm, 'identity')).toBe('700');
    expect(await modeOf(farm, 'identity', 'key.pem')).toBe('600');
    expect(await modeOf(farm, 'secrets')).toBe('700');
    expect(await modeOf(farm, '.bbx')).toBe('700');
    const [key, certificate] = [
      await readFile(join(farm, 'identity/key.pem'), 'utf8'),
      await readFile(join(farm, 'identity/certificate.pem'), 'utf8'),
    ];
    expect(pinOf(key)).toBe(pinOf(certificate));
  });

  it('makes a builder that can run, in YAML and in TypeScript alike', async () => {
    await using dir = await tempDir();
    const flags = [
      '--repository',
      'https://git.example/app.git',
      '--builder',
      'app-linux',
      '--run',
      'npm ci',
      '--run',
      'npm test',
      '--name',
      'Farm: "ours"',
      '--reach',
      'farm.example',
      '--listen',
      '2001:db8::1',
      '--web-listen',
      '8011',
    ];
    await bbxOk(['create-master', 'yaml', ...flags], { cwd: dir.path });
    await bbxOk(['create-master', 'ts', ...flags, '--format', 'ts'], { cwd: dir.path });
    const { config } = await loadMaster(join(dir.path, 'yaml'));
    expect((await loadMaster(join(dir.path, 'ts'))).config).toEqual(config);
    expect(config.title).toBe('Farm: "ours"');
    expect(config.listen.workers).toEqual([{ kind: 'tcp', host: '2001:db8::1', port: 9989 }]);
    expect(config.builders['app-linux']?.steps.map(({ name }) => name)).toEqual([
      'git',
      'npm ci',
      'npm test',
    ]);
    expect(config.schedulers['on-push']).toMatchObject({ repository: 'app', builders: ['app-linux'] });
  });

  it('compares with the first answers, never with files that people edited', async () => {
    await using dir = await tempDir();
    const cwd = dir.path;
    await bbxOk(['create-master', '--name', 'one'], { cwd });
    const file = join(cwd, 'master', 'master.yaml');
    await writeFile(file, '# mine\ntitle: edited\n');
    const before = await everything(cwd);
    expect((await bbxOk(['create-master', '--name', 'one', '--json'], { cwd })).json()).toMatchObject({
      changed: false,
    });
    const refused = await bbx(['create-master', '--name', 'two', '--reach', 'farm.example'], { cwd });
    expect(refused).toMatchObject({ code: 8 });
    expect(refused.stderr).toContain(
      '--name: "one" before, "two" now; --reach: not given before, "farm.example:9989" now',
    );
    expect(refused.stderr).toContain('--force');
    expect(await everything(cwd)).toEqual(before);

    const forced = (await bbxOk(['create-master', '--name', 'two', '--force', '--json'], { cwd })).json();
    expect(forced).toMatchObject({ changed: true });
    expect(await readFile(`${file}.old`, 'utf8')).toBe('# mine\ntitle: edited\n');
    expect((await loadMaster(join(cwd, 'master'))).config.title).toBe('two');
    const after = await everything(cwd);
    expect(after['master/identity/key.pem']).toBe(before['master/identity/key.pem']);
    expect((await bbxOk(['create-master', '--name', 'two', '--json'], { cwd })).json()).toMatchObject({
      changed: false,
    });
    expect(await everything(cwd)).toEqual(after);
    await bbxOk(['create-master', '--name', 'three', '--force'], { cwd });
    expect(await readFile(`${file}.old`, 'utf8')).toContain('edited');
    expect(await readFile(`${file}.old-2`, 'utf8')).toContain('two');
  });

  it('changes from YAML to TypeScript without leaving two configurations', async () => {
    await using dir = await tempDir();
    const cwd = dir.path;
    await bbxOk(['create-master'], { cwd });
    await bbxOk(['create-master', '--format', 'ts', '--force'], { cwd });
    expect((await loadMaster(join(cwd, 'master'))).config.title).toBe('Build farm');
    expect(await readdir(join(cwd, 'master'))).toEqual(
      expect.arrayContaining(['master.yaml.old', 'master.config.ts']),
    );
  });

  it('writes nothing with --dry-run, and says what it would write', async () => {
    await using dir = await tempDir();
    const dry = (await bbxOk(['create-master', '--dry-run', '--json'], { cwd: dir.path })).json<
      Created & { steps: unknown[] }
    >();
    expect(dry).toMatchObject({ changed: true, dryRun: true });
    expect(dry.steps).toContainEqual({ path: 'identity/key.pem', action: 'create' });
    expect(await readdir(dir.path)).toEqual([]);
  });

  it('takes up a call that was cut short, with the key that is there', async () => {
    await using dir = await tempDir();
    await bbxOk(['create-master'], { cwd: dir.path });
    const before = await everything(dir.path);
    for (const file of ['.bbx/answers.json', 'identity/certificate.pem'])
      await rm(join(dir.path, 'master', file));
    await bbxOk(['create-master'], { cwd: dir.path });
    const after = await everything(dir.path);
    expect(after['master/identity/key.pem']).toBe(before['master/identity/key.pem']);
    const certificate = await readFile(join(dir.path, 'master/identity/certificate.pem'), 'utf8');
    expect(pinOf(certificate)).toBe(pinOf(await readFile(join(dir.path, 'master/identity/key.pem'), 'utf8')));
  });

  it('takes every flag from the environment as well', async () => {
    await using dir = await tempDir();
    const env = {
      BBX_NAME: 'from outside',
      BBX_REACH: 'a.example,[2001:db8::1]',
      BBX_WEB_LISTEN: 'localhost:1',
      BBX_REPOSITORY: 'https://git.example/x',
      BBX_RUN: 'make',
    };
    await bbxOk(['create-master'], { cwd: dir.path, env });
    const { config } = await loadMaster(join(dir.path, 'master'));
    expect(config.title).toBe('from outside');
    expect(config.reach).toHaveLength(2);
    expect(Object.keys(config.builders)).toEqual(['x']);
  });
});

describe('identity new', () => {
  it('makes join strings that lead to the master which adopts it', async () => {
    await using dir = await tempDir();
    const cwd = dir.path;
    const made = (
      await bbxOk(
        [
          'identity',
          'new',
          '--worker',
          'w1',
          '--worker',
          'w2',
          '--reach',
          'farm.example',
          '--expires',
          '2h',
          '--out',
          'id.json',
          '--json',
        ],
        { cwd },
      )
    ).json<{ pin: string; workers: { name: string; join: string; expires: number }[] }>();
    expect(await modeOf(cwd, 'id.json')).toBe('600');
    await bbxOk(['create-master', '--identity', '@id.json'], { cwd });
    const farm = join(cwd, 'master');
    expect(pinOf(await readFile(join(farm, 'identity/certificate.pem'), 'utf8'))).toBe(made.pin);
    expect((await loadMaster(farm)).config.reach).toEqual([
      { kind: 'tcp', host: 'farm.example', port: 9989 },
    ]);
    expect(await modeOf(farm, 'identity/joins.json')).toBe('600');
    const { joins } = joinsFile.parse(JSON.parse(await readFile(join(farm, 'identity/joins.json'), 'utf8')));
    for (const [index, { name, join: text, expires }] of made.workers.entries()) {
      const join = parseJoin(text);
      expect(join).toMatchObject({
        pins: [made.pin],
        reach: ['farm.example:9989'],
        names: name,
        uses: 1,
        expires,
      });
      expect(joins[index]).toEqual({
        secret_sha256: secretHash(join.secret.reveal()),
        names: name,
        uses: 1,
        expires_at: expires,
      });
    }
    expect(
      (await bbxOk(['create-master', '--identity', '@id.json', '--json'], { cwd })).json(),
    ).toMatchObject({ changed: false });
    await bbxOk(['create-worker', 'w1', '--join', '-'], { cwd, input: `${made.workers[0]?.join}\n` });
    expect((await loadWorker(join(cwd, 'w1'))).config).toMatchObject({ name: 'w1', pins: [made.pin] });
    expect(await modeOf(cwd, 'w1', 'join')).toBe('600');
  });

  it('never gives a directory another key', async () => {
    await using dir = await tempDir();
    const cwd = dir.path;
    await bbxOk(['create-master'], { cwd });
    await bbxOk(['identity', 'new', '--out', 'id.json'], { cwd });
    const before = await everything(cwd);
    const refused = await bbx(['create-master', '--identity', '@id.json', '--force', '--json'], { cwd });
    expect(refused.code).toBe(8);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'BBX-TPL-OTHER-KEY' } });
    expect(await everything(cwd)).toEqual(before);
  });
});

describe('config and builder add', () => {
  it('edit the file, keep its comments, and refuse what does not hold', async () => {
    await using dir = await tempDir();
    const cwd = dir.path;
    await bbxOk(['create-master'], { cwd });
    const file = join(cwd, 'master', 'master.yaml');
    await chmod(file, 0o640);
    await bbxOk(['config', 'set', 'listen.web', '[::1]:8011'], { cwd });
    expect((await bbxOk(['config', 'get', 'listen.web', '--json'], { cwd })).json()).toEqual(['[::1]:8011']);
    expect(
      (await bbxOk(['config', 'set', 'listen.web', '[::1]:8011', '--json'], { cwd })).json(),
    ).toMatchObject({ changed: false });
    const add = [
      'builder',
      'add',
      'app',
      '--repository',
      'https://git.example/app.git',
      '--run',
      'make',
      '--json',
    ];
    expect((await bbxOk(add, { cwd })).json()).toMatchObject({ changed: true });
    expect((await bbxOk(add, { cwd })).json()).toMatchObject({ changed: false });
    const { config } = await loadMaster(join(cwd, 'master'));
    expect(config.builders['app']?.steps).toHaveLength(2);
    expect(config.schedulers['on-push-app']).toMatchObject({ repository: 'app' });
    const text = await readFile(file, 'utf8');
    expect(text).toContain('# How workers get here');
    expect(await modeOf(file)).toBe('640');

    const wrong = await bbx(['config', 'set', 'builders.app.steps[1].timeout', 'soon'], { cwd });
    expect(wrong.code).toBe(7);
    expect(wrong.stderr).toContain('"soon" is not a duration');
    expect((await bbx(['builder', 'add', 'app', '--run', 'other'], { cwd })).code).toBe(8);
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(await readdir(join(cwd, 'master'))).toEqual(
      expect.not.arrayContaining([expect.stringContaining('.new-')]),
    );
    await bbxOk(['config', 'unset', 'builders.app.steps[0]'], { cwd });
    expect((await bbxOk(['config', 'check', '--json'], { cwd })).json()).toMatchObject({ valid: true });
  });

  it('check lists every problem in JSON, with exit 7', async () => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, 'master.yaml'), 'titel: a\nurl: b\n');
    const ran = await bbx(['config', 'check', '--json'], { cwd: dir.path });
    expect(ran.code).toBe(7);
    expect(ran.json()).toMatchObject({
      valid: false,
      problems: [
        { line: 1, column: 1 },
        { line: 2, column: 6 },
      ],
    });
  });

  it('show says where each value comes from', async () => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, 'master.yaml'), 'title: a\n');
    const ran = await bbxOk(['config', 'show', '--origin', '--json'], {
      cwd: dir.path,
      env: { BBX_CONFIG_STORE: 'sqlite:x' },
    });
    expect(ran.json()).toEqual(
      expect.arrayContaining([
        { key: 'title', value: 'a', origin: { kind: 'file', file: 'master.yaml', line: 1 } },
        { key: 'store', value: 'sqlite:x', origin: { kind: 'environment', name: 'BBX_CONFIG_STORE' } },
        { key: 'reach', value: [], origin: { kind: 'default' } },
      ]),
    );
  });

  it.each(['plan', 'apply'])('%s says that no master runs', async (command) => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, 'master.yaml'), 'title: a\n');
    expect((await bbx(['config', command], { cwd: dir.path })).code).toBe(3);
  });
});

describe('a wrong use', () => {
  const OTHERS = { 'full/file': 'x', 'a-file': 'x', 'join.txt': 'bbx1.nonsense', 'id.json': '{}' };
  const asUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

  it.each<[args: string[], code: number, says: string, env?: Record<string, string>]>([
    [['create-master', '--nmae', 'x'], 2, "unknown option '--nmae'"],
    [['create-master', 'a', 'b'], 2, 'too many arguments'],
    [['create-master', '--listen', 'nowhere'], 2, '--listen: Cannot listen on "nowhere"'],
    [['create-master', '--web-listen', 'http://x/'], 2, 'a URL is where others dial'],
    [['create-master', '--reach', '[::1'], 2, '--reach: Cannot read address'],
    [['create-master', '--reach', 'fe80::1%eth0'], 2, '--reach: [fe80::1%eth0]:9989 has a zone'],
    [['create-master', '--store', 'mysql:x'], 2, '--store: "mysql:x" is not the address of a store'],
    [['create-master', '--repository', 'https://a:b@c/d'], 2, '--repository: the address holds a password'],
    [['create-master', '--repository', '-x'], 2, '--repository: "-x" starts with "-"'],
    [['create-master', '--builder', 'app'], 2, '--builder: a builder needs a command'],
    [['create-master', '--builder', 'a b', '--run', 'x'], 2, '--builder: "a b" is not a name'],
    [['create-master', '--run', ' '], 2, '--run: it is empty'],
    [['create-master', '--run', 'echo ${{ branch }}'], 2, '--run: a property in a text command'],
    [['create-master', '--format', 'json'], 2, 'Allowed choices are yaml, ts'],
    [
      ['create-master', '--identity', '@missing'],
      2,
      '--identity: cannot read "missing": there is no such file',
    ],
    [['create-master', '--identity', '@id.json'], 2, 'not what "bbx identity new" writes'],
    [['create-master', '--identity', '{"key":1}'], 2, 'must not stand on the command line'],
    [['create-master', '--name', ''], 2, '--name'],
    [['create-master', 'full'], 8, 'it holds something else (file)'],
    [['create-master', 'full', '--force'], 8, 'it holds something else (file)'],
    [['create-master', 'a-file'], 1, 'a file stands where a directory must be'],
    [['create-master', 'a-file/below'], 1, 'a file stands where a directory must be'],
    [['create-master', 'closed/farm'], 5, 'permission denied'],
    [['create-worker'], 2, '--master is missing'],
    [['create-worker', '--no-input'], 2, '--master is missing'],
    [['create-worker', '--master', 'a:b:c'], 2, '--master: Cannot read address'],
    [['create-worker', '--master', 'h', '--name', '-x'], 2, '--name: "-x" is not a name'],
    [['create-worker', '--master', 'h', '--via', 'sssh:x'], 2, '--via: Cannot read hop'],
    [['create-worker', '--master', 'h', '--max-builds', '0'], 2, 'Want a whole number'],
    [['create-worker', '--master', 'h', '--tag', 'a b'], 2, '--tag: "a b" is not a tag'],
    [['create-worker', '--join', 'bbx1.abc'], 2, 'must not stand on the command line'],
    [['create-worker', '--join', '@join.txt'], 2, '--join:'],
    [['create-worker', '--join', '-'], 2, '--join: there is nothing in it'],
    [['create-worker'], 2, 'its checksum is wrong', { BBX_JOIN: 'bbx1.abcdefghij' }],
    [['identity', 'new', '--worker', 'w'], 2, '--reach is missing'],
    [['identity', 'new', '--worker', 'w*', '--reach', 'h'], 2, 'stands for many'],
    [['identity', 'new', '--out', 'a-file'], 8, 'it is there already'],
    [['identity', 'new', '--out', 'none/x'], 2, 'its directory is not there'],
    [['identity', 'new', '--expires', 'soon'], 2, 'Want a duration'],
    [['config', 'get', 'title'], 6, "Cannot find a master's or a worker's directory"],
    [['config', 'schema', 'relay'], 2, 'Allowed choices are master, worker'],
    [['builder', 'add', 'x'], 2, "required option '--run <command>' not specified"],
  ])('%j ends with %i and leaves the disk alone', async (args, code, says, env) => {
    await using dir = await tempDir();
    await chmod(dir.path, 0o777);
    await mkdir(join(dir.path, 'full'), { mode: 0o777 });
    await mkdir(join(dir.path, 'closed'), { mode: 0o555 });
    for (const [name, text] of Object.entries(OTHERS)) await writeFile(join(dir.path, name), text);
    const before = await everything(dir.path);
    const ran = await bbx(args, { cwd: dir.path, ...(env === undefined ? {} : { env }), ...asUser });
    expect(`${ran.code} ${ran.stderr}`).toContain(says);
    expect(ran.code).toBe(code);
    expect(ran.stdout).toBe('');
    expect(await everything(dir.path)).toEqual(before);
  });
});
