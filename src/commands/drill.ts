import { byReason, readFaults, type Chosen } from '../drill/choose.ts';
import type { DrillReport, RoundReport, Spread } from '../drill/report.ts';
import { planSeries, runSeries } from '../drill/series.ts';
import { FAULTS } from '../drill/faults/table.ts';
import type { Shape } from '../drill/fault.ts';
import { hasGit } from '../drill/origin.ts';
import { goodWords, runSoak, type SoakReport } from '../drill/soak.ts';
import { EXIT } from '../base/exit.ts';
import { Interrupted, SAME_WISH_MS, type Context } from './terminal/context.ts';
import { Outcome } from './terminal/exit.ts';
import { answer, note, table, type Style } from './terminal/print.ts';
import { createProgress } from './terminal/progress.ts';

export interface DrillOptions {
  seed?: number;
  rounds: number;
  from: number;
  faults?: string;
  workers: number;
  store: 'sqlite' | 'postgres';
  jobs: number;
  long?: boolean;
  keep?: boolean;
  strict?: boolean;
  soak?: number;
  list?: boolean;
  dryRun?: boolean;
}

/** Rehearses outages on a farm of its own in a temporary directory. Exit 1 when something was lost, doubled, stuck or left. */
export async function drill(context: Context, options: DrillOptions): Promise<void> {
  if (options.list === true) return listFaults(context);
  const seed = options.seed ?? Math.floor(Math.random() * 1_000_000);
  if (options.soak !== undefined) return soak(context, seed, options.soak, options);
  const chosen = await readFaults(options.faults, {
    strict: options.strict === true,
    store: options.store,
  });
  const shape = await shapeOf(options);
  const series = {
    seed,
    from: options.from,
    rounds: options.rounds,
    faults: chosen.faults,
    shape,
  };
  saySkipped(context, chosen);
  if (!shape.git) note(context, 'No build checks sources out, since git is not installed');
  if (options.dryRun === true) return showPlan(context, series);

  context.releaseSignals();
  using orders = takeOrders();
  const { signal } = orders;
  using progress = createProgress(context);
  let done = 0;
  const last = options.from + options.rounds - 1;
  note(context, `Seed ${seed}; rounds ${options.from} to ${last}. Nothing of any other farm is touched.`);
  progress.wait('making a farm');
  const report = await runSeries({
    ...series,
    skipped: chosen.skipped,
    jobs: options.jobs,
    keep: options.keep === true,
    sandbox: { bbx: thisProgram(), env: context.env, workers: options.workers, store: options.store },
    signal,
    repeat: (round) => repeatLine(seed, round, options),
    onFarm: (dir) => progress.wait(`${done} of ${options.rounds} rounds; farm in ${dir}`),
    onRound(round) {
      done += 1;
      progress.line([roundLine(round), ...wrongLines(round)].join('\n'));
      progress.wait(`${done} of ${options.rounds} rounds`);
    },
  });
  progress.stop();
  answer(context, report, (style, seen) => reportWords(context, style, seen));
  if (signal.aborted) throw new Interrupted();
  if (report.verdict === 'failed') throw new Outcome(EXIT.failed);
}

async function shapeOf(options: DrillOptions): Promise<Shape> {
  const workers = Array.from({ length: options.workers }, (_, index) => `w${index + 1}`);
  return { workers, long: options.long === true, git: await hasGit() };
}

function wrongLines({ wrong }: RoundReport): string[] {
  return wrong.map((line) => `       ${line}`);
}

async function soak(context: Context, seed: number, builds: number, options: DrillOptions): Promise<void> {
  const strict = options.strict === true;
  const chosen: Chosen =
    options.faults === undefined
      ? { faults: [], skipped: [] }
      : await readFaults(options.faults, { strict, store: options.store, soak: true });
  saySkipped(context, chosen);
  context.releaseSignals();
  using orders = takeOrders();
  using progress = createProgress(context);
  progress.wait('making a farm');
  const { store } = options;
  const report = await runSoak({
    ...{ seed, builds, ...chosen, shape: await shapeOf(options) },
    onRound: (round) => progress.line([roundLine(round), ...wrongLines(round)].join('\n')),
    sandbox: { bbx: thisProgram(), env: context.env, workers: options.workers, store },
    signal: orders.signal,
    onSample: (sample) => progress.wait(`${sample.builds} of ${builds} builds`),
  }).catch((error: unknown) => {
    if (orders.signal.aborted) throw new Interrupted();
    throw error;
  });
  progress.stop();
  answer(context, report, (style, seen) => soakWords(context, style, seen));
  if (report.verdict === 'failed') throw new Outcome(EXIT.failed);
}

function soakWords(context: Context, { paint }: Style, report: SoakReport): string {
  const every = Math.max(1, Math.floor(report.samples.length / 10));
  const rows = report.samples.filter((_, index) => (index + 1) % every === 0);
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  return [
    table(
      context,
      [
        { heading: 'BUILDS', value: ({ builds }) => String(builds) },
        { heading: 'SECONDS', value: ({ seconds }) => seconds.toFixed(0) },
        { heading: 'MASTER MB', value: ({ masterBytes }) => mb(masterBytes) },
        { heading: 'FILES', value: ({ masterHandles }) => String(masterHandles) },
        { heading: 'WORKERS MB', value: ({ workerBytes }) => mb(workerBytes) },
        { heading: 'FILES', value: ({ workerHandles }) => String(workerHandles) },
        { heading: 'STORE AND LOGS MB', value: ({ masterDisk }) => mb(masterDisk) },
        { heading: 'SPOOLS AND WORKSPACES MB', value: ({ workerDisk }) => mb(workerDisk) },
      ],
      rows,
    ),
    '',
    `${report.builds} builds in ${report.seconds} s with seed ${report.seed}, ${report.store}` +
      (report.rounds === 0 ? '' : `, and ${report.rounds} rounds with a fault in between`),
    ...report.wrong.map((line) => paint.red(line)),
    ...(report.dir === null ? [] : [`kept: ${report.dir}`]),
    report.verdict === 'ok' ? paint.green(goodWords(report.samples)) : paint.red('not as it must be'),
  ].join('\n');
}

/** The first signal ends the drill with its farms; a second one ends this process at once and leaves what its farms run. */
function takeOrders(): { signal: AbortSignal } & Disposable {
  const stop = new AbortController();
  let since: number | undefined;
  const onSignal = () => {
    if (since !== undefined && performance.now() - since > SAME_WISH_MS) process.exit(EXIT.interrupted);
    since ??= performance.now();
    stop.abort(new Interrupted());
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      for (const name of names) process.removeListener(name, onSignal);
    },
  };
}

/** The Node and the program that run this very command. */
function thisProgram(): { node: string; bin: string } {
  return { node: process.execPath, bin: process.argv[1] ?? '' };
}

function listFaults(context: Context): void {
  const rows = FAULTS.map(({ name, title, holds, needs }) => ({ name, title, holds, needs: needs ?? null }));
  answer(context, rows, (_, seen) =>
    table(
      context,
      [
        { heading: 'NAME', value: ({ name }, { paint }) => paint.bold(name) },
        { heading: 'WHAT HAPPENS', value: ({ title }) => title },
      ],
      seen,
    ),
  );
}

function showPlan(context: Context, series: Parameters<typeof planSeries>[0]): void {
  const plan = planSeries(series).map(({ round, fault, blow, asks, strikeAfterMs }) => ({
    round,
    fault: fault.name,
    words: blow.words,
    strikeAfterMs,
    asks,
  }));
  answer(context, { seed: series.seed, plan }, (style, seen) =>
    [
      `seed ${seen.seed}`,
      ...seen.plan.map(({ round, words, asks }) => {
        const builds = asks.map(
          ({ builder, cancelAfterMs }) => builder + (cancelAfterMs === undefined ? '' : '!'),
        );
        return `${String(round).padStart(5)}  ${words}  ${style.paint.dim(`builds: ${builds.join(' ')}`)}`;
      }),
    ].join('\n'),
  );
}

function saySkipped(context: Context, { skipped }: Chosen): void {
  for (const { names, because } of byReason(skipped))
    note(context, `Not rehearsed: ${names.join(', ')}, since ${because}`);
}

function repeatLine(seed: number, round: number, options: DrillOptions): string {
  const words = ['bbx drill', `--seed ${seed}`, `--from ${round}`, '--rounds 1', '--keep'];
  if (options.faults !== undefined) words.push(`--faults ${options.faults}`);
  if (options.workers !== 2) words.push(`--workers ${options.workers}`);
  if (options.store !== 'sqlite') words.push(`--store ${options.store}`);
  if (options.long === true) words.push('--long');
  return words.join(' ');
}

function roundLine({ round, words, asked, wrong, noticeSeconds, recoverSeconds }: RoundReport): string {
  const times = [
    noticeSeconds === null ? undefined : `noticed after ${noticeSeconds.toFixed(1)} s`,
    recoverSeconds === null ? undefined : `whole after ${recoverSeconds.toFixed(1)} s`,
  ].filter((part) => part !== undefined);
  const verdict = wrong.length === 0 ? 'ok' : 'WRONG';
  return `${String(round).padStart(5)}  ${words}; ${asked} builds, ${times.join(', ')}: ${verdict}`;
}

function reportWords(context: Context, { paint }: Style, report: DrillReport): string {
  const megabytes = (bytes: number | null) => (bytes === null ? '?' : `${(bytes / 1e6).toFixed(1)} MB`);
  const span = (spread: Spread | null) =>
    spread === null
      ? '-'
      : [spread.min, spread.median, spread.max].map((value) => value.toFixed(1)).join(' / ');
  const lines = [
    table(
      context,
      [
        { heading: 'FAULT', value: ({ name }) => name },
        { heading: 'ROUNDS', value: ({ rounds }) => String(rounds) },
        {
          heading: 'FAILED',
          value: ({ failed }, style) => (failed > 0 ? style.paint.red(String(failed)) : '0'),
        },
        { heading: 'NOTICED AFTER (S)', value: ({ noticeSeconds }) => span(noticeSeconds) },
        { heading: 'WHOLE AFTER (S)', value: ({ recoverSeconds }) => span(recoverSeconds) },
      ],
      report.faults,
    ),
    '',
    `${report.rounds} rounds with seed ${report.seed} in ${report.seconds} s, ${report.store}: ${report.builds} builds (${report.attempts} attempts), ${megabytes(report.bytes)} of logs`,
    `builds lost: ${report.buildsLost}   bytes lost: ${report.bytesLost}   bytes doubled: ${report.bytesDoubled}`,
    `the master's memory: ${megabytes(report.masterBytes)} at most, open files: ${report.masterHandles ?? '?'} at most`,
  ];
  for (const { round, fault, words, wrong, dir, repeat } of report.failures) {
    lines.push('', paint.red(`round ${round} (${fault}): ${words}`), ...wrong.map((line) => `  ${line}`));
    lines.push(`  kept: ${dir}`, `  again: ${repeat}`);
  }
  const verdicts = {
    ok: paint.green('nothing lost'),
    interrupted: paint.yellow('nothing lost until it was interrupted'),
    failed: paint.red('not as it must be'),
  };
  lines.push('', verdicts[report.verdict]);
  return lines.join('\n');
}
