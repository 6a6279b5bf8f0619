import { readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { effectiveMaster } from '../../../src/config/effective.ts';
import { loadMaster } from '../../../src/config/master.ts';
import { plainDocument } from '../../../src/config/document.ts';
import { examine } from '../../../src/config/load.ts';
import { masterLanguage } from '../../../src/config/master.ts';
import { workerSettings } from '../../../src/config/worker-settings.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { examineMaster, lines, masterOf } from './examine.ts';

const FARM = readFileSync(new URL('../../fixtures/config/master.yaml', import.meta.url), 'utf8');
const BUILDER = 'builders: { app: { steps: [{ run: make }] } }\n';

describe('a master.yaml', () => {
  it('that is empty gives a whole configuration of defaults', async () => {
    expect(await masterOf('')).toMatchObject({
      title: 'Build farm',
      listen: {
        workers: [{ kind: 'tcp', host: '::', port: 9989 }],
        web: [{ kind: 'tcp', host: 'localhost', port: 8010 }],
      },
      store: 'sqlite:state.sqlite',
      lostWorkerGraceMs: 300_000,
      retention: { logsMs: 90 * 86_400_000, builds: 1_000 },
      builders: {},
    });
  });

  it('gives the limit of logs to each step that names no other', async () => {
    const config = await masterOf(`logMaxSize: 1.5MB
logMaxTailSize: 2KB
repositories: { r: { git: /r } }
builders:
  app:
    repository: r
    steps: [{ run: a }, { run: b, logMaxSize: off }, { run: c, logMaxSize: 1GB }, { git: {}, logMaxTailSize: 0B }]
`);
    expect(config.builders['app']?.steps.map(({ logMax }) => logMax)).toEqual([
      { bytes: 1_572_864, tailBytes: 2_048 },
      null,
      { bytes: 1_073_741_824, tailBytes: 2_048 },
      { bytes: 1_572_864, tailBytes: 0 },
    ]);
    const again = await examine(masterLanguage, plainDocument('x', effectiveMaster(config)), '/farm');
    expect(again).toEqual({ config, problems: [] });
    expect((await masterOf(BUILDER)).builders['app']?.steps[0]?.logMax).toBeNull();
  });

  it('gives durations in milliseconds, addresses parsed, and steps with the defaults of Buildbot', async () => {
    const config = await masterOf(FARM.replace(/^secrets:.*$/m, ''));
    expect(config.reach).toEqual([{ kind: 'tcp', host: 'farm.example', port: 9989 }]);
    expect(config.repositories['app']).toEqual({
      git: 'https://git.example/app.git',
      pollMs: 60_000,
      branches: ['main', 'release/*'],
      credentials: null,
    });
    expect(config.schedulers['on-push']).toMatchObject({
      kind: 'branch',
      treeStableTimerMs: 10_000,
      branches: ['main', 'release/*'],
    });
    const steps = config.builders['app-linux']?.steps ?? [];
    expect(steps.map(({ name }) => name)).toEqual(['git', 'install', 'test', './tell.sh']);
    expect(steps[0]).toMatchObject({
      kind: 'git',
      repository: 'https://git.example/app.git',
      haltOnFailure: true,
    });
    expect(steps[1]).toMatchObject({
      kind: 'shell',
      command: 'npm ci',
      timeoutMs: 600_000,
      maxTimeMs: 3_600_000,
      haltOnFailure: false,
      flunkOnFailure: true,
    });
    expect(steps[2]).toMatchObject({ command: ['npm', 'test'], env: { BRANCH: '${{ branch }}' } });
  });

  it('loads to the same again when it is written out with every default', async () => {
    const config = await masterOf(FARM.replace(/^secrets:.*$/m, ''));
    const again = await examine(masterLanguage, plainDocument('x', effectiveMaster(config)), '/farm');
    expect(again).toEqual({ config, problems: [] });
  });

  it('numbers steps of the same name, as Buildbot does', async () => {
    const config = await masterOf(
      'builders: { a: { steps: [{ run: make }, { run: make }, { run: [make] }] } }',
    );
    expect(config.builders['a']?.steps.map(({ name }) => name)).toEqual(['make', 'make_1', 'make_2']);
  });

  it.each<[what: string, text: string, problem: string]>([
    ['an unknown key', 'titel: x\n', '1:1 unknown key "titel"; did you mean "title"?'],
    [
      'a key of another kind',
      BUILDER +
        'schedulers: { s: { kind: nightly, cron: "0 3 * * *", builders: [app], treeStableTimer: 1s } }',
      '2:71 "treeStableTimer" does not belong here',
    ],
    ['a wrong type', 'title: [x]\n', '1:1 "title" must be text, not a list'],
    [
      'a bad address',
      'listen: { workers: "::1:99899x" }',
      '1:21 "::1:99899x": this is no IPv6 address [Write eight groups, or fewer with one ::, such as 2001:db8::2]',
    ],
    [
      'a name to listen on',
      'listen:\n  web: farm.example:80\n',
      '2:8 "farm.example:80": a name is not an address of this host [Write 9989, [::]:9989, localhost:9989, 192.0.2.10:9989 or unix:/path]',
    ],
    [
      'two listeners on one address',
      'listen: { workers: "[::]:1", web: "[::]:1" }',
      '1:35 [::]:1 is taken already: workers connect there [choose another port]',
    ],
    [
      'a zone in a shared address',
      'reach: "fe80::1%eth0"',
      '1:8 [fe80::1%eth0]:9989 has a zone, which means something on this host only [write an address that workers can use, or a name]',
    ],
    [
      'a bad duration',
      'lostWorkerGrace: 5',
      '1:18 "lostWorkerGrace" must be text, not the number 5 [put it in quotes: "5"]',
    ],
    [
      'a duration without a unit',
      'lostWorkerGrace: "5"',
      '1:18 "5" is not a duration [write a number and a unit: 500ms, 10s, 5m, 2h or 7d]',
    ],
    [
      'a size without a unit',
      'logMaxSize: "50"',
      '1:13 "50" is not a size [write a number and a unit: 512MB or 10GB]',
    ],
    ['a size that is too small', 'logMaxSize: 1B', '1:13 "1B" is too small [write 1KB or more]'],
    ['a size that is too large', 'logMaxTailSize: 1GB', '1:17 "1GB" is too large [write 16MB or less]'],
    [
      'a duration of nothing',
      'lostWorkerGrace: 0s',
      '1:18 "0s" must be longer than nothing [write a number and a unit: 500ms, 10s, 5m, 2h or 7d]',
    ],
    [
      'a number where YAML eats a zero',
      'builders: { a: { env: { V: 1.10 }, steps: [{ run: x }] } }',
      '1:28 must be text or a mapping, not the number 1.1 [put it in quotes: "1.10"]',
    ],
    [
      'an unknown kind',
      'schedulers: { s: { kind: brnch } }',
      '1:26 "brnch" is not possible here; did you mean "branch"? [write branch or nightly]',
    ],
    [
      'a missing kind',
      'schedulers:\n  s: { builders: [] }',
      '2:3 "kind" is missing [one of: branch, nightly]',
    ],
    ['a missing key', 'repositories:\n  app: {}\n', '2:3 "git" is missing [it must be text]'],
    [
      'a cron pattern that is none',
      BUILDER + 'schedulers: { s: { kind: nightly, cron: "0 25 * * *", builders: [app] } }',
      '2:41 "0 25 * * *" is not a cron pattern: Invalid value for hour: 25 [write five fields, such as "0 3 * * *" for 3:00]',
    ],
    [
      'a cron pattern that never comes',
      BUILDER + 'schedulers: { s: { kind: nightly, cron: "0 3 31 2 *", builders: [app] } }',
      '2:41 "0 3 31 2 *" never comes [write a time that comes, such as "0 3 * * *"]',
    ],
    [
      'a builder that a scheduler does not find',
      BUILDER +
        'repositories: { r: { git: /r } }\nschedulers: { s: { kind: branch, repository: r, builders: [ap] } }',
      '3:60 no builder is called "ap"; did you mean "app"?',
    ],
    [
      'a repository that is not there',
      'builders: { b: { repository: r, steps: [{ git: {} }] } }',
      '1:30 no repository is called "r" [describe it under "repositories:"]',
    ],
    [
      'a checkout of nothing',
      'builders:\n  b:\n    steps:\n      - git: {}\n',
      '4:9 nothing says which repository to check out [write "repository: NAME" in the builder]',
    ],
    [
      'a secret that is not there',
      'builders: { b: { steps: [{ run: x, env: { K: { secret: KEY } } }] } }',
      '1:56 no secret is called "KEY" [describe it under "secrets:"]',
    ],
    [
      'a secret file that is not there',
      'secrets: { K: { file: secrets/none } }',
      '1:23 the file "/farm/secrets/none" is not there [write the secret into it, then: chmod 600 /farm/secrets/none]',
    ],
    [
      'a password in an address',
      'repositories: { r: { git: "https://me:pw@host/x" } }',
      '1:27 the address holds a password, which everybody who reads this file would know [put it in a secret file and write credentials: { secret: NAME }]',
    ],
    [
      'a repository that git takes for a flag',
      'repositories: { r: { git: "--upload-pack=x" } }',
      '1:27 "--upload-pack=x" starts with "-": git would take it for a flag [write https://host/path, ssh://user@host/path, user@host:path, or an absolute path]',
    ],
    [
      'a helper of git',
      'repositories: { r: { git: "ext::sh -c x" } }',
      '1:27 the address of a repository holds a space or a control character [write https://host/path, ssh://user@host/path, user@host:path, or an absolute path]',
    ],
    [
      'a branch pattern that git cannot have',
      'repositories: { r: { git: /r, branches: ["a..b"] } }',
      '1:42 "a..b" is not a branch pattern: git does not allow such a name [write a name such as main, or release/*]',
    ],
    [
      'a step that is two',
      'builders: { b: { steps: [{ run: x, git: {} }] } }',
      '1:26 a step is either "git:" or "run:", not both [make two steps of it]',
    ],
    [
      'a directory outside',
      'builders: { b: { steps: [{ run: x, workdir: ../y }] } }',
      '1:45 "../y" leaves the build\'s directory [write a path below it, such as "packages/app"]',
    ],
    [
      'a builder that reads like a request',
      'builders: { r17: { steps: [{ run: x }] } }',
      '1:13 "r17" reads like the number of a build, a request or a change: begin with a word',
    ],
    [
      'an exit code that is none',
      'builders: { b: { steps: [{ run: x, decodeRC: { 256: failure } }] } }',
      '1:48 "256" is not an exit code from 0 to 255',
    ],
    [
      'a property in a text command',
      'builders:\n  b:\n    steps:\n      - run: echo ${{ branch }}\n',
      '4:14 a property in a text command would become part of the program: whoever names a branch "$(…)" could run anything [write env: { BRANCH: "${{ branch }}" } and "$BRANCH" in the command, or make the command a list]',
    ],
    [
      'a property that cannot be read',
      'builders: { b: { steps: [{ run: [x, "${{ a b }}"] }] } }',
      '1:37 "a b" is not the name of a property [write ${{ name }}, or $${{ for the characters themselves]',
    ],
    ['reporters, which there are none of', 'reporters: { mail: {} }', '1:14 unknown key "mail"'],
  ])('with %s says where, what and what to write', async (_, text, problem) => {
    const { config, problems } = await examineMaster(text);
    expect(config).toBeUndefined();
    expect(lines(problems)).toContain(problem);
  });

  it('tells all mistakes at once, in the order of the lines', async () => {
    const { problems } = await examineMaster(
      'titel: x\nurl: y\nstore: z\nrepositories: { a: { git: -x } }\n' +
        'builders: { b: { repository: c, steps: [] } }',
    );
    expect(problems.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 5]);
  });

  it.each([
    [
      'a worker that nothing describes',
      'workers: { linux-1: {} }\nbuilders: { a: { workers: { names: [linux1] }, steps: [{ run: x }] } }',
      'no worker "linux1" is described under "workers:"; did you mean "linux-1"?',
    ],
    [
      'tags that no worker has',
      'workers: { w: { tags: [a] } }\nbuilders: { a: { workers: { tags: [a, b] }, steps: [{ run: x }] } }',
      'no worker under "workers:" has all of the tags a, b',
    ],
    [
      'a property that nothing sets',
      'builders: { a: { env: { B: "${{ brnch }}" }, steps: [{ run: x }] } }',
      'nothing here sets the property "brnch"; did you mean "branch"?',
    ],
    [
      'an end of logs that are never cut',
      'logMaxTailSize: 1MB\nbuilders: { a: { steps: [{ run: x, logMaxSize: off }] } }',
      'logMaxTailSize has no effect without logMaxSize: no log is cut',
    ],
    [
      "the same of a step's log",
      'logMaxSize: 1MB\nbuilders: { a: { steps: [{ run: x, logMaxSize: off, logMaxTailSize: 1KB }] } }',
      'logMaxTailSize has no effect without logMaxSize: no log is cut',
    ],
    [
      'a branch that is not watched',
      'repositories: { r: { git: /r } }\nschedulers: { s: { kind: branch, repository: r, branches: [dev], builders: [a] } }\nbuilders: { a: { steps: [{ run: x }] } }',
      'branch "dev" is not among those that the repository watches',
    ],
  ])('warns of %s and holds all the same', async (_, text, message) => {
    const { config, problems } = await examineMaster(text);
    expect(config).toBeDefined();
    expect(problems).toEqual([expect.objectContaining({ severity: 'warning', message })]);
  });

  it.each([
    'logMaxTailSize: 1MB\nbuilders: { a: { steps: [{ run: x, logMaxSize: 2MB }] } }',
    'logMaxSize: 2MB\nbuilders: { a: { steps: [{ run: x, logMaxTailSize: 1MB }] } }',
    'logMaxTailSize: 0B\nbuilders: { a: { steps: [{ run: x }] } }',
  ])('knows where a log is cut: %s', async (text) => {
    expect((await examineMaster(text)).problems).toEqual([]);
  });

  it('knows own properties of builder and scheduler', async () => {
    const { problems } = await examineMaster(
      'repositories: { r: { git: /r } }\n' +
        'schedulers: { s: { kind: branch, repository: r, builders: [a], properties: { one: 1 } } }\n' +
        'builders: { a: { properties: { two: x }, env: { B: "${{ one }}${{ two }}" }, steps: [{ run: x }] } }',
    );
    expect(problems).toEqual([]);
  });
});

describe('loadMaster', () => {
  it('refuses a secret that others may read, and takes it with mode 600', async () => {
    await using dir = await tempDir();
    await mkdir(join(dir.path, 'secrets'));
    await writeFile(join(dir.path, 'secrets', 'key'), 'x', { mode: 0o644 });
    await writeFile(join(dir.path, 'master.yaml'), 'secrets: { KEY: { file: secrets/key } }\n');
    await expect(loadMaster(dir.path)).rejects.toMatchObject({
      code: 'BBX-CFG-INVALID',
      exit: 7,
      message: expect.stringContaining('others may read') as string,
    });
    await chmod(join(dir.path, 'secrets', 'key'), 0o600);
    const { config } = await loadMaster(dir.path);
    expect(config.secrets).toEqual({ KEY: { file: join(dir.path, 'secrets', 'key') } });
  });

  it('puts the environment over the file and flags over both, and remembers which', async () => {
    await using dir = await tempDir();
    await writeFile(
      join(dir.path, 'master.yaml'),
      'title: file\nreach: [a.example]\nurl: https://file.example\n',
    );
    const loaded = await loadMaster(dir.path, {
      env: {
        BBX_CONFIG_REACH: 'b.example, [2001:db8::1]:7',
        BBX_CONFIG_TITLE: 'environment',
        BBX_REACH: 'not.this',
      },
      flags: { name: 'flag' },
    });
    expect(loaded.config.title).toBe('flag');
    expect(loaded.config.reach.map((address) => 'host' in address && address.host)).toEqual([
      'b.example',
      '2001:db8::1',
    ]);
    expect(loaded.origin(['title'])).toEqual({ kind: 'flag', name: '--name' });
    expect(loaded.origin(['reach'])).toEqual({ kind: 'environment', name: 'BBX_CONFIG_REACH' });
    expect(loaded.origin(['url'])).toMatchObject({ kind: 'file', line: 3 });
    expect(loaded.origin(['store'])).toEqual({ kind: 'default' });
  });

  it('names the variable when its value is wrong', async () => {
    await using dir = await tempDir();
    await writeFile(join(dir.path, 'master.yaml'), '');
    await expect(loadMaster(dir.path, { env: { BBX_CONFIG_STORE: 'mysql:x' } })).rejects.toMatchObject({
      data: { problems: [expect.objectContaining({ file: 'BBX_CONFIG_STORE', line: null })] },
    });
  });

  it.each([
    ['nothing', {}, 'BBX-CFG-MISSING'],
    ['two configurations', { 'master.yaml': '', 'master.config.ts': '' }, 'BBX-CFG-TWO-FILES'],
    ['a file that is too large', { 'master.yaml': '#'.repeat(2 ** 20 + 1) }, 'BBX-CFG-READ'],
  ])('says that a directory holds %s', async (_, files, code) => {
    await using dir = await tempDir();
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir.path, name), text);
    await expect(loadMaster(dir.path)).rejects.toMatchObject({ code });
  });
});

describe('workerSettings', () => {
  const workers = {
    'vps-1': { tags: ['own'], maxBuilds: 1 },
    'vps-*': { tags: ['vps'], maxBuilds: null },
    '*': { tags: ['any'], maxBuilds: null },
  };
  it.each([
    ['vps-1', 'own'],
    ['vps-2', 'vps'],
    ['linux', 'any'],
  ])('gives %s the most exact entry', (name, tag) => {
    expect(workerSettings(workers, name).tags).toEqual([tag]);
  });

  it('gives nothing special to a worker that nothing describes', () => {
    expect(workerSettings({}, 'constructor')).toEqual({ tags: [], maxBuilds: null });
  });
});
