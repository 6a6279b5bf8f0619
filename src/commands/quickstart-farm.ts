import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { BbxError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { openClient } from '../client/client.ts';
import { controlSocket, masterLayout, workerLayout } from '../config/layout.ts';
import { loadMaster } from '../config/master.ts';
import { schemaText } from '../config/schema-text.ts';
import { loadWorker } from '../config/worker.ts';
import { parseListen } from '../net/endpoint/listen-address.ts';
import { listen } from '../net/listen.ts';
import { createFarmKey, selfSignedCertificate } from '../net/tls/certificate.ts';
import { parseJoin } from '../protocol/bbx/join.ts';
import { startMaster, type Master } from '../runtime/master/start.ts';
import { startWorker, type Worker } from '../runtime/worker/start.ts';
import type { BuildRecipe } from '../templates/build-recipe.ts';
import { renderMaster } from '../templates/native/master.ts';
import { renderWorker } from '../templates/native/worker.ts';
import { planTree, writeTree, type Tree } from '../templates/tree.ts';
import type { Answers } from '../templates/answers.ts';
import { diagnoseOf } from './run-diagnose.ts';
import type { Context } from './terminal/context.ts';
import { BBX_VERSION } from './version.ts';

/** The usual ports, where they are free; else the system chooses. */
const WORKER_PORT = 9989;
const WEB_PORT = 8010;
const WORKER_NAME = 'local';
/** The invitation is used within this run. */
const INVITATION_MS = 10 * 60_000;

/** Loopback as this host has it. */
export interface Loopback {
  host: '[::1]' | '127.0.0.1';
  workerPort: number;
  webPort: number;
}

/** IPv6's loopback address where there is one, else IPv4's, with the usual ports or, where they are taken, free ones. */
async function findLoopback(): Promise<Loopback> {
  const host = (await freePort('[::1]', 0)) === undefined ? '127.0.0.1' : '[::1]';
  const portNear = async (usual: number) =>
    (await freePort(host, usual)) ?? (await freePort(host, 0)) ?? usual;
  return { host, workerPort: await portNear(WORKER_PORT), webPort: await portNear(WEB_PORT) };
}

/** The port that was bound for a moment, or undefined when the address or the port cannot be had. */
async function freePort(host: string, port: number): Promise<number | undefined> {
  try {
    await using listener = await listen({
      addresses: [parseListen(`${host}:${port}`)],
      onConnection: ({ stream }) => stream.destroy(),
    });
    return Number(listener.bound[0]?.split(':').at(-1));
  } catch (error) {
    if (error instanceof BbxError) return undefined;
    throw error;
  }
}

/** A master and a worker in this process. */
export interface QuickFarm extends AsyncDisposable {
  readonly masterDir: string;
  readonly workerDir: string;
  readonly master: Master;
  readonly worker: Worker;
}

/** Makes both directories under `dir` unless they are there, and starts both programs. Throws what `startMaster` and `startWorker` throw. */
export async function startQuickFarm(
  context: Context,
  dir: string,
  work: { repository: string; recipe: BuildRecipe },
  log: Log,
): Promise<QuickFarm> {
  const masterDir = join(dir, 'master');
  const workerDir = join(dir, 'worker');
  if (!(await isThere(masterLayout(masterDir).configYaml))) await makeMaster(masterDir, work);

  const { env } = context;
  const opened = new AsyncDisposableStack();
  try {
    const { config, file } = await loadMaster(masterDir, { env: {} });
    const common = { clock: systemClock, log, env, diagnose: diagnoseOf(env) };
    const master = opened.use(
      await startMaster(config, {
        ...common,
        dir: masterDir,
        file,
        version: BBX_VERSION,
        random: Math.random,
        reloadConfig: async () => (await loadMaster(masterDir, { env: {} })).config,
      }),
    );
    if (!(await isThere(workerLayout(workerDir).config))) await makeWorker(context, masterDir, workerDir);
    const { config: workerConfig } = await loadWorker(workerDir, { env: {} });
    const worker = opened.use(
      await startWorker(workerConfig, {
        ...common,
        dir: workerDir,
        software: `bbx ${BBX_VERSION}`,
        keeper: false,
      }),
    );
    return { masterDir, workerDir, master, worker, [Symbol.asyncDispose]: () => opened.disposeAsync() };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

async function makeMaster(dir: string, work: { repository: string; recipe: BuildRecipe }): Promise<void> {
  const { host, workerPort, webPort } = await findLoopback();
  const key = createFarmKey();
  const answers = {
    name: `Farm of ${hostname()}`,
    listen: [`${host}:${workerPort}`],
    webListen: [`${host}:${webPort}`],
    reach: [`${host}:${workerPort}`],
    repository: work.repository,
    run: work.recipe.steps.map(({ run }) => run),
  };
  const identity = { key, certificate: selfSignedCertificate(key, { names: ['localhost'] }), joins: null };
  const { webListen, ...rest } = answers;
  await write(dir, await renderMaster(answers, identity, await schemaText('master')), {
    ...rest,
    'web-listen': webListen,
  });
}

async function makeWorker(context: Context, masterDir: string, dir: string): Promise<void> {
  await using client = openClient({ socket: controlSocket(masterDir, context.env), dir: masterDir });
  const { join: text } = await client.call('addWorker', {
    body: { names: WORKER_NAME, expiresMs: INVITATION_MS },
  });
  const invitation = parseJoin(text);
  const tree = renderWorker(
    { name: WORKER_NAME, master: invitation.reach, pins: invitation.pins },
    text,
    await schemaText('worker'),
  );
  await write(dir, tree, { join: [invitation.names, ...invitation.pins, ...invitation.reach] });
}

async function write(dir: string, tree: Tree, answers: Answers): Promise<void> {
  await writeTree(await planTree(dir, tree, answers, { force: false }), tree, answers);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
