import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { routes } from '../../../src/api/routes.ts';
import { BbxError } from '../../../src/base/error.ts';
import type { Handlers } from '../../../src/runtime/master/http/routes.ts';
import { aBuild, aBuilder, aRequest, aStatus, aStep, aWorker } from '../../rigs/api-objects.ts';
import { command } from '../../rigs/command.ts';
import { fakeMaster } from '../../rigs/fake-master.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const notFound = (name: string) =>
  new BbxError({ code: 'BBX-API-NOT-FOUND', message: `Cannot find "${name}": none`, exit: 6 });

const build = aBuild({ steps: [aStep(), aStep({ number: 1, name: 'tell', result: 'failure', results: 2 })] });
const change = {
  changeid: 5,
  repository: 'app',
  branch: 'main',
  revision: '4d5e6f',
  author: '',
  comments: '',
  files: [],
  when_timestamp: 1_700_000_000,
};

const LONG = `${'mend '.repeat(20)}\n\nand why`;

const handlers: Partial<Handlers> = {
  status: async () =>
    aStatus({
      running: [aBuild({ complete: false, results: null, result: null, complete_at: 1_700_000_009 })],
      pending: [aRequest()],
      trouble: [
        { subject: 'repository app', code: 'BBX-GIT', message: 'Cannot poll: refused', since: 1_700_000_000 },
      ],
    }),
  builders: async () => [aBuilder()],
  builder: async ({ params }) =>
    params.builder === 'app' ? aBuilder() : Promise.reject(notFound(params.builder)),
  workers: async () => [
    aWorker(),
    aWorker({ name: 'w2', state: 'pending', connected: false, attached: false }),
  ],
  worker: async ({ params }) =>
    params.worker === 'w1' ? aWorker() : Promise.reject(notFound(params.worker)),
  approveWorker: async () => aWorker(),
  pauseWorker: async () => aWorker({ paused: true, attached: false }),
  resumeWorker: async () => aWorker(),
  drainWorker: async () => aWorker({ draining: true, attached: false }),
  removeWorker: async () => aWorker({ state: 'removed', connected: false, attached: false }),
  builds: async () => [build],
  build: async ({ params }) =>
    ['app', 'app/12', '1'].includes(params.build) ? build : Promise.reject(notFound(params.build)),
  step: async () => aStep(),
  startBuild: async () => aRequest(),
  cancelBuild: async ({ params }) =>
    params.build === 'slow'
      ? Promise.reject(new BbxError({ code: 'BBX-API-COMPLETE', message: 'over', exit: 8 }))
      : aBuild({ complete: false, result: null, results: null }),
  cancelRequest: async () => aRequest({ complete: true, results: 6, result: 'cancelled' }),
  retryBuild: async () => aRequest({ buildrequestid: 18 }),
  retryRequest: async () => aRequest({ buildrequestid: 19 }),
  request: async ({ params }) =>
    params.request === '17'
      ? aRequest({
          complete: true,
          results: 0,
          result: 'success',
          builds: [{ buildid: 1, number: 12, result: 'success' }],
        })
      : params.request === '18'
        ? aRequest({
            buildrequestid: 18,
            branch: 'main',
            revision: null,
            complete: true,
            results: 6,
            result: 'cancelled',
          })
        : aRequest({ buildrequestid: 99 }),
  changes: async ({ query }) => [change, { ...change, changeid: 4, comments: LONG }].slice(0, query.limit),
  sendChange: async () => change,
  why: async ({ params }) => ({
    subject: params.subject,
    summary: 'it waits for a worker',
    reasons: [{ about: 'worker w1', reason: 'has no tag "arm64"', since: null }],
  }),
};

const send = [
  'change',
  'send',
  '--repository',
  'app',
  '--branch',
  'main',
  '--revision',
  '4d5e6f'.padEnd(40, '0'),
];

describe('with --json', () => {
  it.each<[string[], z.ZodType]>([
    [['status'], routes.status.answer],
    [['status', '--wait', '5s'], routes.status.answer],
    [['builder', 'list'], routes.builders.answer],
    [['builder', 'show', 'app'], routes.builder.answer],
    [['worker', 'list'], routes.workers.answer],
    [['worker', 'show', 'w1'], routes.worker.answer],
    [['worker', 'show', 'w1', '--wait', 'attached'], routes.worker.answer],
    [['worker', 'approve', 'w1'], routes.approveWorker.answer],
    [['worker', 'pause', 'w1'], routes.pauseWorker.answer],
    [['worker', 'resume', 'w1'], routes.resumeWorker.answer],
    [['worker', 'drain', 'w1'], routes.drainWorker.answer],
    [['worker', 'remove', 'w1'], routes.removeWorker.answer],
    [['build', 'list'], routes.builds.answer],
    [['build', 'show', 'app/12'], routes.build.answer],
    [['build', 'show', 'r17'], routes.request.answer],
    [['build', 'start', 'app'], routes.startBuild.answer],
    [['build', 'cancel', 'app/12'], routes.cancelBuild.answer],
    [['build', 'cancel', 'r17'], routes.cancelRequest.answer],
    [['build', 'retry', 'app/12'], routes.retryBuild.answer],
    [['build', 'retry', 'r17'], routes.retryRequest.answer],
    [['change', 'list'], routes.changes.answer],
    [send, routes.sendChange.answer],
    [['why', 'r17'], routes.why.answer],
  ])('bbx %j gives what the API gives, and nothing on stderr', async (args, schema) => {
    await using temp = await tempDir();
    await using _master = await fakeMaster(temp.path, handlers);
    const ran = await command([...args, '--json'], { cwd: temp.path });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const object = schema instanceof z.ZodObject ? schema.strict() : schema;
    expect(object.safeParse(ran.json()).error).toBeUndefined();
  });

  it.each([
    [['builder', 'show', 'none'], 6, 'BBX-API-NOT-FOUND'],
    [['build', 'show', 'app/x'], 2, 'BBX-USAGE'],
    [['build', 'log', 'r99'], 6, 'BBX-API-NO-BUILD'],
    [['build', 'log', 'r18'], 6, 'BBX-API-NO-BUILD'],
    [['build', 'log', 'app', '--step', 'none'], 6, 'BBX-API-NO-STEP'],
    [['worker', 'show', 'w9', '--wait', 'attached', '--wait-limit', '30ms'], 124, 'BBX-WAIT-LIMIT'],
    [['build', 'watch', 'r99', '--wait-limit', '30ms'], 124, 'BBX-WAIT-LIMIT'],
  ])('bbx %j ends with %d and one JSON error on stderr', async (args, code, name) => {
    await using temp = await tempDir();
    await using _master = await fakeMaster(temp.path, handlers);
    const ran = await command([...args, '--json'], { cwd: temp.path });
    expect(ran.code).toBe(code);
    const { error } = z
      .strictObject({
        error: z.strictObject({
          code: z.string(),
          message: z.string(),
          hint: z.string().optional(),
          retryable: z.boolean(),
        }),
      })
      .parse(JSON.parse(ran.stderr));
    expect(error.code).toBe(name);
  });
});

describe('change list', () => {
  it('shows a line for each, at a terminal with the beginning of what it says', async () => {
    await using temp = await tempDir();
    await using _master = await fakeMaster(temp.path, handlers);
    const plain = await command(['change', 'list'], { cwd: temp.path });
    expect(plain.stdout.split('\n').map((line) => line.split('\t'))).toEqual([
      ['c5', 'app', 'main 4d5e6f', '2023-11-14T22:13:20.000Z', '-', '-'],
      ['c4', 'app', 'main 4d5e6f', '2023-11-14T22:13:20.000Z', '-', LONG.replaceAll('\n\n', ' ')],
      [''],
    ]);
    const seen = await command(['change', 'list', '--limit', '1'], { cwd: temp.path, terminal: true });
    expect(seen.stdout).toMatch(/^CHANGE +REPOSITORY +SOURCE +WHEN +AUTHOR +COMMENTS\nc5 [^\n]*\n$/);
    const short = await command(['change', 'list'], { cwd: temp.path, terminal: true });
    expect(short.stdout.replaceAll(/\s+/g, ' ')).toContain(`${LONG.slice(0, 49)}… `);
  });
});

describe('the next command', () => {
  it.each<[args: string[], said: string]>([
    [['build', 'start', 'app', '--dir', '.'], 'Follow it: bbx build watch r17 --dir .'],
    [['build', 'start', 'app'], 'Follow it: bbx build watch r17\n'],
    [
      ['build', 'log', 'r18'],
      'Cannot show a build of request r18: it ended cancelled before a build started\n',
    ],
    [['build', 'log', 'r18'], 'Ask for it anew: bbx build retry r18\n'],
    [['build', 'retry', 'r18'], 'Follow it: bbx build watch r19\n'],
    [['build', 'log', 'r99'], 'See why it waits: bbx why r99\n'],
    [['config', 'set', 'title', 'x', '--dir', '.'], 'bbx config apply --dir .'],
    [['config', 'set', 'maxBuilds', '2', '--dir', 'worker'], 'takes it when it is started again'],
    [['doctor', 'bogus'], 'ipv6, dns, listen, reach'],
    [['build', 'log'], 'See: bbx build log --help'],
    [['build', 'strat'], 'See: bbx build --help'],
    [['strat'], 'See: bbx --help'],
    [['identity', 'new'], '--out is missing: a private key must not stand on a screen'],
    [['help', 'build', 'log'], 'Usage: bbx build log [options] <build>'],
    [['help', 'build', 'bog'], "unknown command 'bog'"],
    [['worker', 'add', 'w1', '--expires', '0s'], 'Want more than nothing'],
    [['build', 'cancel', 'slow'], 'Name it: bbx build cancel app/12'],
    [['config', 'unset', 'nosuch'], 'Cannot find "nosuch" in the configuration'],
    [['config', 'unset', 'listen.wep'], 'Cannot find "listen.wep" in the configuration'],
    [['config', 'unset', 'url'], 'nothing to change'],
    [['config', 'unset', 'workers.w1.tags'], 'nothing to change'],
    [['config', 'unset', 'builders.app.steps[0].timeout'], 'nothing to change'],
    [['config', 'set', 'listen.workers', '99999'], '99999'],
    [['status', '--dir', 'none'], 'Name another one, or make one: bbx create-master'],
  ])('of bbx %j is one that works: %s', async (args, said) => {
    await using temp = await tempDir();
    await using _master = await fakeMaster(temp.path, handlers);
    await mkdir(join(temp.path, 'worker'));
    await writeFile(join(temp.path, 'worker', 'worker.yaml'), 'name: w1\nmaster: "[::1]:1"\n');
    const { stdout, stderr } = await command(args, { cwd: temp.path, terminal: args[0] === 'identity' });
    expect(stdout + stderr).toContain(said);
  });
});

it.each([
  [
    1_700_000_000,
    'lists-of\t2023-11-14T22:13:20.000Z',
    /What runs and what waits are those of .+ ago: the database does not answer/,
  ],
  [null, 'lists-of\t-', /What runs and what waits are not known yet: the database does not answer/],
])('says that lists read at %s are not of now', async (read_at, line, words) => {
  await using temp = await tempDir();
  const status = async () => aStatus({ lists: { stale: true, read_at } });
  await using _master = await fakeMaster(temp.path, { status });
  expect((await command(['status'], { cwd: temp.path })).stdout).toContain(`${line}\n`);
  expect((await command(['status'], { cwd: temp.path, terminal: true })).stdout).toMatch(words);
});

describe('for programs without --json', () => {
  it('gives tab-separated lines with whole values and ISO times', async () => {
    await using temp = await tempDir();
    await using _master = await fakeMaster(temp.path, handlers);
    // A connected worker is seen now; all other times are of 2023.
    const present = new RegExp(`\\t${new Date().getUTCFullYear()}-[-\\dT:.]+Z`, 'g');
    const text = async (...args: string[]) =>
      (await command(args, { cwd: temp.path })).stdout.replaceAll(present, '\tNOW');
    expect(await text('status')).toMatchInlineSnapshot(`
      "farm	test farm
      version	0.1.0
      started	2023-11-14T22:13:20.000Z
      draining	false
      listen-workers	[::]:9989
      listen-web	[::1]:8010
      listen-web	127.0.0.1:8010
      reach	farm.example:9989
      config	/farm/master.yaml
      worker	w1	attached	1/2	linux	[::1]:40000	NOW	-
      running	app/12	running	main 4d5e6f0a1b2c3d4e5f60718293a4b5c6d7e8f901	w1	2023-11-14T22:13:20.000Z	9.0 s	build successful
      waiting	r17	app	main	2023-11-14T22:13:20.000Z	forced
      trouble	repository app	BBX-GIT	Cannot poll: refused
      "
    `);
    expect(await text('worker', 'list')).toMatchInlineSnapshot(`
      "w1	attached	1/2	linux	[::1]:40000	NOW	-
      w2	pending	1/2	linux	[::1]:40000	2023-11-14T22:13:20.000Z	-
      "
    `);
    expect(await text('builder', 'list')).toMatchInlineSnapshot(`
      "app	app/12 success	2023-11-14T22:13:24.000Z	1	0	w1	x64
      "
    `);
    expect(await text('build', 'show', 'app')).toMatchInlineSnapshot(`
      "build	app/12 (1)
      result	success
      state	build successful
      source	main 4d5e6f0a1b2c3d4e5f60718293a4b5c6d7e8f901
      worker	w1
      request	r17, try 1
      reason	forced
      started	2023-11-14T22:13:20.000Z
      took	4.0 s
      properties	-
      step	0	test	success	2.5 s	stdio 6 B	finished
      step	1	tell	failure	2.5 s	stdio 6 B	finished
      "
    `);
    expect(await text('why', 'r17')).toMatchInlineSnapshot(`
      "r17	it waits for a worker
      worker w1	has no tag "arm64"	-
      "
    `);
    expect(await text('build', 'start', 'app')).toBe('r17\n');
    expect(await text(...send)).toBe('c5\n');
  });
});

describe('for people at a terminal', () => {
  const times = (text: string) => text.replaceAll(/\d+ (d|h|min|s)( \d+ (h|min|s))?( ago)/g, 'N ago');

  it('gives tables with headings and relative times', async () => {
    await using temp = await tempDir();
    await using _master = await fakeMaster(temp.path, handlers);
    const text = async (...args: string[]) =>
      times((await command(args, { cwd: temp.path, terminal: true })).stdout).replace(/up .*/, 'up N');
    expect(await text('status')).toMatchInlineSnapshot(`
      "farm        test farm
      master      bbx 0.1.0, up N
      workers at  [::]:9989
      web at      [::1]:8010, 127.0.0.1:8010
      reached by  farm.example:9989
      config      /farm/master.yaml, loaded N ago

      WORKER  STATE     BUILDS  TAGS   FROM         SEEN  NOTES
      w1      attached  1/2     linux  [::1]:40000  now   -

      BUILD   RESULT   SOURCE             WORKER  STARTED     TOOK   STATE
      app/12  running  main 4d5e6f0a1b2c  w1      N ago  9.0 s  build successful

      WAITING  BUILDER  SOURCE  SINCE       REASON
      r17      app      main    N ago  forced

      repository app Cannot poll: refused (BBX-GIT, N ago)
      "
    `);
    expect(await text('build', 'list')).toMatchInlineSnapshot(`
      "BUILD   RESULT   SOURCE             WORKER  STARTED     TOOK   STATE
      app/12  success  main 4d5e6f0a1b2c  w1      N ago  4.0 s  build successful
      "
    `);
    expect(await text('build', 'show', 'app')).toMatchInlineSnapshot(`
      "build       app/12 (1)
      result      success
      state       build successful
      source      main 4d5e6f0a1b2c
      worker      w1
      request     r17, try 1
      reason      forced
      started     N ago
      took        4.0 s
      properties  -

      STEP  NAME  RESULT   TOOK   LOGS       STATE
      0     test  success  2.5 s  stdio 6 B  finished
      1     tell  failure  2.5 s  stdio 6 B  finished
      "
    `);
    expect(await text('build', 'show', 'r17')).toMatchInlineSnapshot(`
      "request    r17
      builder    app
      result     success
      source     main
      priority   0
      reason     forced
      submitted  N ago
      builds     app/12 success
      "
    `);
    expect(await text('worker', 'show', 'w1')).toMatchInlineSnapshot(`
      "worker  w1
      state   attached
      builds  1 of 2
      tags    linux
      from    [::1]:40000
      seen    now
      key     sha256:abc
      system  linux
      "
    `);
    expect(await text('builder', 'show', 'app')).toMatchInlineSnapshot(`
      "builder  app
      tags     x64
      workers  w1
      running  1
      waiting  0

      BUILD   RESULT   SOURCE             WORKER  STARTED     TOOK   STATE
      app/12  success  main 4d5e6f0a1b2c  w1      N ago  4.0 s  build successful
      "
    `);
    expect(await text('why', 'r17')).toMatchInlineSnapshot(`
      "r17: it waits for a worker
      ABOUT      REASON              SINCE
      worker w1  has no tag "arm64"  -
      "
    `);
  });
});

describe('status --wait', () => {
  it('goes on as soon as a master answers', async () => {
    await using temp = await tempDir();
    await using master = await fakeMaster(temp.path, handlers);
    await master.stop();
    const waiting = command(['status', '--wait', '10s', '--json'], { cwd: temp.path });
    await master.start();
    expect((await waiting).code).toBe(0);
  });

  it('says after its limit what the last state was', async () => {
    await using temp = await tempDir();
    await using master = await fakeMaster(temp.path, handlers);
    await master.stop();
    const ran = await command(['status', '--wait', '100ms'], { cwd: temp.path });
    expect(ran.code).toBe(124);
    expect(ran.stderr).toContain('Waited 100ms for the master: Cannot reach the master of');
  });
});
