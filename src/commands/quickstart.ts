import { access } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import type { BuildObject } from '../api/objects.ts';
import { EXIT } from '../base/exit.ts';
import { openClient, type Client } from '../client/client.ts';
import { watchRequest } from '../client/watch.ts';
import { controlSocket, masterLayout } from '../config/layout.ts';
import { loadMaster } from '../config/master.ts';
import { codes as templateCodes } from '../templates/codes.ts';
import type { BuildRecipe } from '../templates/build-recipe.ts';
import { buildTitle } from '../build/title.ts';
import { exitOfResult } from './build-follow.ts';
import { printLog } from './build-log.ts';
import { startQuickFarm } from './quickstart-farm.ts';
import { makeSample, recipeOf } from './quickstart-source.ts';
import { repositoryAddress } from './repository-address.ts';
import { createRunLog } from './run-log.ts';
import { takeSignals, untilAborted } from './run-signals.ts';
import { ask } from './terminal/ask.ts';
import { codes } from './terminal/codes.ts';
import { Interrupted, type Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { answer, note } from './terminal/print.ts';
import { tookWords } from './words.ts';

export interface QuickstartOptions {
  repository?: string;
  run?: string[];
  once?: boolean;
  yes?: boolean;
}

const DEFAULT_DIR = 'bbx-farm';

/**
 * A whole farm in this process: master and worker over loopback, the first build of a real repository followed live. With `once` it ends
 * with that build's code, else it runs until Ctrl-C.
 */
export async function quickstart(
  context: Context,
  named: string | undefined,
  options: QuickstartOptions,
): Promise<void> {
  const dir = resolve(context.cwd, named ?? DEFAULT_DIR);
  const work = (await existingWork(context, dir, options)) ?? (await newWork(context, dir, options));

  const log = await createRunLog(context, { logFormat: 'text' });
  // What goes well is told below, in the words of a first farm.
  const quiet = { ...log, info: log.debug };
  context.signal.throwIfAborted();
  context.releaseSignals();
  using orders = takeSignals({ log: quiet });
  await using farm = await startQuickFarm(context, dir, work, quiet);
  const [address = ''] = farm.master.bound.workers;
  note(
    context,
    `Master and worker run in this process and talk over ${address}${address.startsWith('[') ? ' (IPv6)' : '\n(this host has no IPv6)'}.`,
  );

  await using client = openClient({
    socket: controlSocket(farm.masterDir, context.env),
    dir: farm.masterDir,
  });
  const followed: Context = { ...context, signal: orders.stop };
  const build = await firstBuild(followed, client, farm.masterDir).catch((error: unknown) => {
    if (orders.stop.aborted) throw new Interrupted();
    throw error;
  });
  if (context.json) answer(context, build, () => '');
  note(context, `\n${buildTitle(build)} ended as ${build.result} after ${tookWords(build)}.`);
  const code = exitOfResult(build.result);
  if (options.once === true) throw new Outcome(code);

  note(context, whatNext(context, farm.masterDir, build));
  const lost = await Promise.race([untilAborted(orders.stop), farm.worker.ended, farm.master.lost]);
  if (lost !== undefined) throw lost;
}

interface Work {
  repository: string;
  recipe: BuildRecipe;
}

/** What the farm that stands in `dir` builds, or undefined when there is none. Throws BBX-TPL-DIFFERS when asked for something else. */
async function existingWork(
  context: Context,
  dir: string,
  options: QuickstartOptions,
): Promise<Work | undefined> {
  const masterDir = join(dir, 'master');
  const there = await access(masterLayout(masterDir).configYaml).then(
    () => true,
    () => false,
  );
  if (!there) return undefined;
  const { config } = await loadMaster(masterDir, { env: {}, signal: context.signal });
  const [source] = Object.values(config.repositories);
  const wanted =
    options.repository === undefined ? undefined : repositoryAddress(context, options.repository);
  if (wanted !== undefined && wanted !== source?.git) {
    const differences = [`it builds ${source?.git ?? 'no repository'}, not ${wanted}`];
    throw templateCodes['BBX-TPL-DIFFERS']({ dir, differences });
  }
  note(context, `Using the farm that stands in ${shown(context, dir)}.`);
  return { repository: source?.git ?? '', recipe: { because: 'master.yaml', steps: [] } };
}

async function newWork(context: Context, dir: string, options: QuickstartOptions): Promise<Work> {
  const git = { env: context.env, signal: context.signal };
  const given = options.repository;
  const repository = given === undefined ? join(dir, 'hello') : repositoryAddress(context, given);
  if (given === undefined) {
    await makeSample(repository, git);
    note(context, `No --repository given: made a small one in ${shown(context, repository)}.`);
  }
  const recipe = await recipeOf(repository, options.run ?? [], git);
  const lines = recipe.steps.map(({ run }) => `  ${run}`);
  note(context, [`Building ${repository} as ${recipe.because} says:`, '  git checkout', ...lines].join('\n'));
  if (given !== undefined && options.yes !== true) await consent(context);
  return { repository, recipe };
}

/** A repository's own commands run with this user's rights: nobody's code is run unasked. */
async function consent(context: Context): Promise<void> {
  if (!context.interactive) {
    throw codes['BBX-USAGE']({
      problem:
        'the commands above are that repository’s own code and would run as this user: --yes is missing',
      hint: 'Look at them, then add --yes',
    });
  }
  const { go } = await ask(context, [
    {
      name: 'go',
      message: 'Run these commands on this machine, as this user? (yes/no)',
      default: 'no',
      check: (text) => /^(?:y|yes|n|no)$/i.test(text.trim()) || 'Want yes or no',
    },
  ]);
  if (/^y/i.test(go ?? '')) return;
  note(context, 'Nothing was run, and no farm was made.');
  throw new Outcome(EXIT.cancelled);
}

/** Starts a build of the farm's first builder and prints its log as it comes; gives the finished build. */
async function firstBuild(context: Context, client: Client, dir: string): Promise<BuildObject> {
  const { signal } = context;
  const [builder] = await client.call('builders', {}, { signal });
  if (builder === undefined) {
    throw codes['BBX-USAGE']({
      problem: 'the farm has no builder',
      hint: `bbx builder add NAME --run CMD --dir ${dir}`,
    });
  }
  const request = await client.call(
    'startBuild',
    { body: { builder: builder.name, reason: 'quickstart' } },
    { signal },
  );
  let current: BuildObject | undefined;
  for await (const happening of watchRequest(client, request.buildrequestid, { signal })) {
    if (happening.type !== 'build.started') continue;
    current = happening.build;
    if (context.json) continue;
    await printLog(context, String(current.buildid), { follow: true, dir });
  }
  if (current === undefined) throw codes['BBX-API-NO-BUILD']({ request: request.buildrequestid });
  return client.call('build', { params: { build: String(current.buildid) } }, { signal });
}

function whatNext(context: Context, masterDir: string, build: BuildObject): string {
  const at = `--dir ${shown(context, masterDir)}`;
  // Each command on a line of its own, so that it fits and can be copied.
  return [
    '',
    'The farm runs until Ctrl-C. What next, in another terminal:',
    `  bbx status ${at}`,
    `  bbx build log ${buildTitle(build)} ${at}`,
    'Build again, or push a commit (it is polled every minute):',
    `  bbx build start ${build.builder} --wait ${at}`,
    'One more worker; its host must reach the master, so set listen and reach first:',
    `  bbx worker add NAME ${at}`,
    'Configuration:',
    `  ${shown(context, join(masterDir, 'master.yaml'))}`,
    'Later, apart:',
    `  bbx run master ${shown(context, masterDir)}`,
    `  bbx run worker ${shown(context, join(masterDir, '..', 'worker'))}`,
  ].join('\n');
}

function shown(context: Context, path: string): string {
  const short = relative(context.cwd, path);
  return short === '' ? '.' : short.startsWith('..') ? path : short;
}
