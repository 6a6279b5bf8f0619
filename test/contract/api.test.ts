import { chmod, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorAnswer } from '../../src/api/error-answer.ts';
import { farmEvent } from '../../src/api/objects.ts';
import { routes, type RouteName } from '../../src/api/routes.ts';
import { silentLog } from '../../src/base/log.ts';
import { openControlSocket } from '../../src/runtime/master/http/control.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { testMaster, type FakeWorker, type TestMaster } from '../rigs/master.ts';
import { until } from '../rigs/wait.ts';

const CONFIG = `
title: Contract
workers: { w1: { tags: [big] } }
repositories: { app: { git: /nowhere/app.git, poll: off, branches: [main] } }
schedulers: { push: { kind: branch, repository: app, builders: [app], treeStableTimer: 1h } }
builders:
  app: { repository: app, tags: [fast], steps: [ { name: step, run: make } ] }
`;

let rig: TestMaster;
let w1: FakeWorker;

beforeAll(async () => {
  rig = await testMaster(CONFIG);
  w1 = await rig.worker('w1');
  await rig.client.call('startBuild', { body: { builder: 'app', reason: 'contract' } });
  w1.build(await w1.next('assign'), 'text\n');
  await until('the build', async () => (await rig.client.call('build', { params: { build: '1' } })).complete);
  await rig.client.call('sendChange', {
    body: { repository: 'app', branch: 'main', revision: 'a'.repeat(40), author: 'A <a@b>', files: ['x'] },
  });
});
afterAll(() => rig[Symbol.asyncDispose]());

/** A call by hand, so that what no client would send can be sent. */
function call(
  method: string,
  path: string,
  body?: string,
  type = 'application/json',
): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ socketPath: rig.master.controlSocket, method, path }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          json: JSON.parse(Buffer.concat(parts).toString()) as unknown,
        }),
      );
    });
    sent.on('error', reject);
    if (body !== undefined) sent.setHeader('content-type', type);
    sent.end(body);
  });
}

describe('the API', () => {
  const READS: [RouteName, string][] = [
    ['status', '/api/v2/status'],
    ['builders', '/api/v2/builders'],
    ['builder', '/api/v2/builders/app'],
    ['workers', '/api/v2/workers'],
    ['worker', '/api/v2/workers/w1'],
    ['builds', '/api/v2/builds?builder=app&worker=w1&complete=true&limit=5'],
    ['build', '/api/v2/builds/app%2F1'],
    ['build', '/api/v2/builds/1'],
    ['build', '/api/v2/builds/app'],
    ['step', '/api/v2/builds/app%2F1/steps/0'],
    ['step', '/api/v2/builds/1/steps/step'],
    ['requests', '/api/v2/buildrequests?complete=true'],
    ['request', '/api/v2/buildrequests/r1'],
    ['request', '/api/v2/buildrequests/1'],
    ['changes', '/api/v2/changes'],
    ['why', '/api/v2/why/r1'],
    ['why', '/api/v2/why/c1'],
    ['why', '/api/v2/why/app%2F1'],
    ['why', '/api/v2/why/aaaaaaaa'],
    ['planConfig', '/api/v2/config/plan'],
  ];
  it.each(READS)('answers %s at %s in its form', async (name, path) => {
    const { status, json } = await call('GET', path);
    expect(json).not.toHaveProperty('error');
    expect(status).toBe(200);
    expect(routes[name].answer.parse(json)).toEqual(json);
  });

  it('says what it is and what it has', async () => {
    const status = await rig.client.call('status', {});
    expect(status).toMatchObject({
      title: 'Contract',
      running: [],
      pending: [],
      lists: { stale: false },
      trouble: [],
      draining: false,
    });
    expect(status.listening.workers[0]).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(status.workers).toMatchObject([
      { name: 'w1', attached: true, tags: ['big'], maxBuilds: 4, running: 0 },
    ]);
    expect(await rig.client.call('builder', { params: { builder: 'app' } })).toMatchObject({
      name: 'app',
      tags: ['fast'],
      workers: ['w1'],
      last: { number: 1, result: 'success' },
    });
  });

  const WRONG: [string, string, string | undefined, number, string, RegExp?][] = [
    ['GET', '/api/v2/nothing', undefined, 404, 'BBX-API-NOT-FOUND'],
    ['GET', '/api/v2/builders/apq', undefined, 404, 'BBX-API-NOT-FOUND', /Did you mean "app"/],
    ['GET', '/api/v2/builds/apq%2F1', undefined, 404, 'BBX-API-NOT-FOUND', /Did you mean "app"/],
    ['GET', '/api/v2/builds/app%2F99', undefined, 404, 'BBX-API-NOT-FOUND'],
    ['GET', '/api/v2/builds/app/steps/9', undefined, 404, 'BBX-API-NOT-FOUND'],
    ['GET', '/api/v2/builds/app/steps/0/logs/nothing', undefined, 404, 'BBX-API-NOT-FOUND'],
    ['GET', '/api/v2/buildrequests/r99', undefined, 404, 'BBX-API-NOT-FOUND'],
    ['GET', '/api/v2/workers/w2', undefined, 404, 'BBX-API-NOT-FOUND', /Did you mean "w1"/],
    ['GET', '/api/v2/why/c99', undefined, 404, 'BBX-API-NOT-FOUND'],
    ['GET', '/api/v2/why/appp', undefined, 404, 'BBX-API-NOT-FOUND', /Did you mean "app"/],
    ['GET', '/api/v2/builds?limit=100000', undefined, 400, 'BBX-API-BAD-REQUEST', /query\.limit/],
    ['GET', '/api/v2/events?after=-1', undefined, 400, 'BBX-API-BAD-REQUEST', /after/],
    ['POST', '/api/v2/builds', '{"builder":"app","extra":1}', 400, 'BBX-API-BAD-REQUEST', /extra/],
    ['POST', '/api/v2/builds', '{"builder":', 400, 'BBX-API-BAD-REQUEST'],
    ['POST', '/api/v2/builds', '{"builder":"nope"}', 404, 'BBX-API-NOT-FOUND'],
    ['POST', '/api/v2/builds/app%2F1/cancel', '{}', 409, 'BBX-API-COMPLETE', /success/],
    ['POST', '/api/v2/buildrequests/r1/cancel', '{}', 409, 'BBX-API-COMPLETE'],
    [
      'POST',
      '/api/v2/changes',
      '{"repository":"nope","branch":"b","revision":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}',
      404,
      'BBX-API-NOT-FOUND',
    ],
    ['DELETE', '/api/v2/workers/w2', undefined, 404, 'BBX-API-NOT-FOUND'],
  ];
  it.each(WRONG)('answers %s %s %s with %i %s', async (method, path, body, status, code, words) => {
    const answer = await call(method, path, body);
    const { error } = errorAnswer.parse(answer.json);
    expect([answer.status, error.code]).toEqual([status, code]);
    if (words !== undefined) expect(`${error.message} ${error.hint}`).toMatch(words);
  });

  it('gives a part of a log', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const path = '/api/v2/builds/app/steps/0/logs/stdio?offset=1&limit=2';
      httpRequest({ socketPath: rig.master.controlSocket, path }, (response) => {
        response.setEncoding('utf8');
        let text = '';
        response.on('data', (part: string) => (text += part));
        response.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });
    expect(answer).toBe('ex');
  });

  it('streams events from a position, each in its form, and goes on with new ones', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const { id, event } of rig.client.events({ after: 0, signal: stop.signal })) {
      expect(farmEvent.parse(event)).toEqual(event);
      seen.push(event.type);
      if (event.type === 'change.added' && !seen.includes('worker.paused')) {
        seen.push('worker.paused');
        await rig.client.call('pauseWorker', { params: { worker: 'w1' } });
      }
      if (event.type === 'worker.changed' && event.what === 'paused') {
        expect(id).toBeGreaterThan(5);
        stop.abort();
      }
    }
    // What is said of the worker's link and of changes may stand anywhere between.
    expect(seen.filter((type) => /^(build|step|request)\./.test(type))).toEqual([
      'request.submitted',
      'build.started',
      'step.started',
      'step.finished',
      'build.finished',
      'request.finished',
    ]);
    await rig.client.call('resumeWorker', { params: { worker: 'w1' } });
  });

  it('pauses, resumes and drains a worker', async () => {
    const worker = { params: { worker: 'w1' } };
    expect(await rig.client.call('pauseWorker', worker)).toMatchObject({ paused: true, attached: false });
    expect(await rig.client.call('drainWorker', worker)).toMatchObject({ draining: true });
    expect(await rig.client.call('resumeWorker', worker)).toMatchObject({
      paused: false,
      draining: false,
      attached: true,
    });
  });

  it('retries a build with the same sources', async () => {
    const request = await rig.client.call('retryBuild', { params: { build: 'app/1' } });
    expect(request).toMatchObject({ builder: 'app', reason: 'retry of app/1' });
    w1.build(await w1.next('assign'));
    await until(
      'the build',
      async () => (await rig.client.call('build', { params: { build: 'app/2' } })).complete,
    );
  });

  it('retries a request that was cancelled before a build of it began, and not one that waits', async () => {
    const worker = { params: { worker: 'w1' } };
    await rig.client.call('pauseWorker', worker);
    const asked = await rig.client.call('startBuild', {
      body: { builder: 'app', properties: { target: 'arm64' }, priority: 3 },
    });
    const first = { params: { request: `r${asked.buildrequestid}` } };
    await expect(rig.client.call('retryRequest', first)).rejects.toMatchObject({ code: 'BBX-API-RUNNING' });
    await rig.client.call('cancelRequest', { ...first, body: {} });
    const again = await rig.client.call('retryRequest', first);
    expect(again).toMatchObject({
      ...{ complete: false, builder: 'app', branch: asked.branch, priority: 3, builds: [] },
      reason: `retry of r${asked.buildrequestid}`,
    });
    await rig.client.call('resumeWorker', worker);
    w1.build(await w1.next('assign'));
    const second = { params: { request: `r${again.buildrequestid}` } };
    await until('the build', async () => (await rig.client.call('request', second)).complete);
    const built = (await rig.client.call('request', second)).builds[0]!;
    const build = await rig.client.call('build', { params: { build: String(built.buildid) } });
    expect(build.properties).toMatchObject({ target: 'arm64' });
    const third = await rig.client.call('retryRequest', second);
    expect(third.reason).toBe(`retry of app/${built.number}`);
    w1.build(await w1.next('assign'));
    const last = { params: { request: `r${third.buildrequestid}` } };
    await until('the build', async () => (await rig.client.call('request', last)).complete);
  });

  it('applies a changed configuration whole, and none of a bad one', async () => {
    const bad = rig.configure(CONFIG.replace('run: make', 'runn: make'));
    await bad;
    await expect(rig.client.call('applyConfig', {})).rejects.toMatchObject({
      code: 'BBX-CFG-INVALID',
      exit: 7,
    });
    expect((await rig.client.call('status', {})).config.error).toMatch(/master\.yaml:\d+:\d+/);
    expect(await rig.client.call('builders', {})).toHaveLength(1);
    await rig.configure(`${CONFIG}  new: { steps: [ { name: s, run: make } ] }\n`);
    const plan = await rig.client.call('planConfig', {});
    expect(plan.changes).toContain('builder "new" is added');
    const applied = await rig.client.call('applyConfig', {});
    expect(applied.changed).toBe(true);
    expect((await rig.client.call('status', {})).config.error).toBeNull();
    const names = (await rig.client.call('builders', {})).map(({ name }) => name);
    expect(names).toEqual(['app', 'new']);
    expect(await rig.client.call('applyConfig', {})).toEqual({ changed: false, changes: [] });
  });
});

describe('the control socket', () => {
  const open = (path: string) => openControlSocket({ path, log: silentLog, register: () => undefined });

  it('is for its owner alone', async () => {
    expect((await stat(rig.master.controlSocket)).mode & 0o777).toBe(0o600);
  });

  it('takes the place of a socket that a dead master left', async () => {
    await using dir = await tempDir();
    const path = join(dir.path, 'control.sock');
    const dead = createServer().listen(path);
    await once(dead, 'listening');
    // Closing removes the file; a killed master leaves it.
    const { rename } = await import('node:fs/promises');
    await rename(path, `${path}.kept`);
    dead.close();
    await once(dead, 'close');
    await rename(`${path}.kept`, path);
    const socket = await open(path);
    await socket.close();
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('leaves a living master alone, and a file that is no socket', async () => {
    await using dir = await tempDir();
    await expect(open(rig.master.controlSocket)).rejects.toMatchObject({
      code: 'BBX-API-MASTER-RUNS',
      exit: 8,
    });
    const path = join(dir.path, 'control.sock');
    await writeFile(path, 'mine');
    await chmod(path, 0o600);
    await expect(open(path)).rejects.toMatchObject({ code: 'BBX-API-SOCKET-PATH', exit: 8 });
  });
});
