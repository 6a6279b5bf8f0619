import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import type { NumberedEvent } from '../../src/client/events.ts';
import { bbx } from './bbx.ts';
import { actOnce, askForBuilds, type Acting, type Asked } from './drill/acts.ts';
import {
  askAll,
  checkApart,
  checkEvents,
  checkLogs,
  checkResults,
  checkSpools,
  checkTrace,
  leftRunning,
} from './drill/checks.ts';
import { drillConfig, seeded, TALK } from './drill/plan.ts';
import { startDrillFarm } from './drill/programs.ts';

export interface DrillOptions {
  /** The same seed does the same things in the same order; when each of them strikes is the machine's to decide. */
  seed: number;
  /** How long the farm is hammered. */
  seconds: number;
  /** Kill workers too: then builds may be interrupted, and no byte of what they had printed may be wrong. */
  killWorkers?: boolean;
  /** `lostWorkerGrace`; short ones make the master give builds up while they run. */
  grace?: string;
  say?: (line: string) => void;
  workers?: number;
  /** `spoolLimit` of the workers; a small one holds steps up whenever the master is away. */
  spool?: string;
  /** Links whose workers find out only after 35 s. */
  slow?: boolean;
}

export interface DrillReport {
  /** What is not as it must be. */
  wrong: string[];
  builds: number;
  acts: number;
  /** Words of all programs. */
  output: string;
}

/** All that was asked for must have ended so long after the last blow, ms. A half-open link alone takes 35 s to be found. */
const SETTLE_MS = 90_000;

/** Runs builds on a farm of real programs, hammers on it, and then says what was lost, doubled, stuck or left. */
export async function drill(options: DrillOptions): Promise<DrillReport> {
  const { seed, seconds, killWorkers = false, slow = false, grace = '10m', say = () => undefined } = options;
  const random = seeded(seed);
  const workers = Array.from({ length: options.workers ?? 2 }, (_, index) => `w${index + 1}`);
  const config = (dir: string) => drillConfig({ dir, workers, grace, round: 0 });
  await using rig = await startDrillFarm({
    workers,
    maxBuilds: 3,
    workerConfig: options.spool === undefined ? '' : `spoolLimit: ${options.spool}\n`,
    config,
    prepare: (dir) => writeFile(join(dir, 'talk.sh'), TALK),
  });
  const { farm, client } = rig;
  const asked: Asked = { requests: new Map(), cancelled: new Set(), reloads: 0 };
  const started = performance.now();
  const acting: Acting = {
    rig,
    asked,
    random,
    killWorkers,
    slow,
    grace,
    say: (line) => say(`${((performance.now() - started) / 1000).toFixed(1)} ${line}`),
  };

  // Somebody watches all the time, over every restart: must hear each event once.
  const heard: NumberedEvent[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const event of client.events({ after: 0, signal: stop.signal })) heard.push(event);
  })().catch(() => undefined);

  let acts = 0;
  while (performance.now() - started < seconds * 1000) {
    await askForBuilds(acting, 1 + Math.floor(random() * 4));
    await delay(Math.floor(random() * 1_500));
    await actOnce(acting);
    acts += 1;
  }
  acting.say(`${acts} acts, ${asked.requests.size} requests; waiting for the rest`);
  rig.relay.plug();
  if (rig.master.child.exitCode !== null || rig.master.child.signalCode !== null) rig.launchMaster();
  await rig.masterAnswers();

  const wrong: string[] = [];
  const end = performance.now() + SETTLE_MS;
  let state = await client.call('status', {});
  while (
    (state.running.length > 0 ||
      state.pending.length > 0 ||
      // A worker that lost its master a moment ago is back within its longest wait.
      state.workers.some(({ running, attached }) => running > 0 || !attached)) &&
    performance.now() < end
  ) {
    await delay(200);
    state = await client.call('status', {});
  }
  acting.say('settled');
  // What was wrong for a while is said so for a moment longer.
  for (let tries = 0; state.trouble.length > 0 && tries < 25; tries += 1) {
    await delay(200);
    state = await client.call('status', {});
  }
  for (const { builder, number, state_string } of state.running)
    wrong.push(`${builder}/${number} is stuck: ${state_string}`);
  for (const { buildrequestid, builder } of state.pending)
    wrong.push(`request ${buildrequestid} of ${builder} waits for ever`);
  for (const { name, running, attached } of state.workers) {
    if (running > 0) wrong.push(`${name} has ${running} builds`);
    if (!attached) wrong.push(`${name} is not attached`);
  }
  for (const { subject, message } of state.trouble) wrong.push(`trouble with ${subject}: ${message}`);

  const told = await askAll(client, []);
  const all: NumberedEvent[] = [];
  const quiet = new AbortController();
  const last = Math.max(0, ...heard.map(({ id }) => id));
  const reading = (async () => {
    for await (const event of client.events({ after: 0, signal: quiet.signal })) all.push(event);
  })().catch(() => undefined);
  const until = performance.now() + 10_000;
  const newest = () => all.at(-1)?.id ?? 0;
  while ((newest() < last || newest() > (heard.at(-1)?.id ?? 0)) && performance.now() < until)
    await delay(50);
  quiet.abort();
  stop.abort();
  await Promise.all([reading, watching]);
  if (heard.map(({ id }) => id).join() !== all.map(({ id }) => id).join())
    wrong.push(`the watcher heard ${heard.length} events, there are ${all.length}`);
  told.events = all;

  wrong.push(...checkResults(told, asked, !killWorkers && grace === '10m'));
  wrong.push(...checkEvents(told), ...(await checkTrace(farm.dir, told.builds)));
  wrong.push(...(await checkApart(farm.dir, told)));
  for (const name of workers) {
    const code = await rig.worker(name).end('SIGTERM', 20_000);
    if (code !== 0) wrong.push(`${name} ended with ${code}`);
  }
  wrong.push(...(await checkSpools(farm.dir, workers)));
  const code = await rig.master.end('SIGTERM', 10_000);
  if (code !== 0) wrong.push(`the master ended with ${code}`);
  wrong.push(...(await checkLogs(told, farm.dir, farm.masterDir)));
  const checked = await bbx(['db', 'check', '--dir', farm.masterDir], { cwd: farm.dir, limitMs: 60_000 });
  if (checked.code !== 0) wrong.push(`db check: ${checked.stdout}${checked.stderr}`);
  wrong.push(...(await leftRunning(farm.dir)).map((line) => `left running: ${line}`));
  const faults = rig
    .output()
    .split('\n')
    .filter((line) => /fault of bbx|"level":(50|60)|\bERROR\b/.test(line));
  wrong.push(...faults.map((line) => `said: ${line}`));
  acting.say('checked');
  return { wrong, builds: told.builds.length, acts, output: rig.output() };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      runs: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '60' },
      'kill-workers': { type: 'boolean', default: false },
      grace: { type: 'string', default: '10m' },
      slow: { type: 'boolean', default: false },
      spool: { type: 'string' },
      output: { type: 'string' },
    },
  });
  for (let run = 0; run < Number(values.runs); run += 1) {
    const seed = Number(values.seed) + run;
    const { wrong, builds, acts, output } = await drill({
      seed,
      seconds: Number(values.seconds),
      killWorkers: values['kill-workers'],
      grace: values.grace,
      slow: values.slow,
      ...(values.spool === undefined ? {} : { spool: values.spool }),
      say: (line) => process.stdout.write(`seed ${seed}: ${line}\n`),
    });
    process.stdout.write(`seed ${seed}: ${builds} builds, ${acts} acts, ${wrong.length} wrong\n`);
    for (const line of wrong) process.stdout.write(`  ${line}\n`);
    if (values.output !== undefined) await writeFile(`${values.output}-${seed}.txt`, output);
    if (wrong.length > 0) process.exitCode = 1;
  }
}
