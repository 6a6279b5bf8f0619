import { dirname } from 'node:path';
import type { Verdict } from '../api/doctor.ts';
import { within } from '../base/abort.ts';
import type { PathObject, PlacesObject } from '../api/path.ts';
import { MOST_PLACES, type DialPlace } from '../protocol/bbx/dial-facts.ts';
import type { Check, Topic } from './check.ts';
import { workerLayout } from '../config/layout.ts';
import { selectChecks } from './catalogue.ts';
import type { ClockMark } from './doors/clock-moves.ts';
import { readCheckouts, type Checkout } from './doors/sources.ts';
import { NO_PLACES, readPlaces, shownPlaces } from './places.ts';
import { answerForWorker, readBothEnds } from './doors/both-ends.ts';
import { RESTS_S } from './doors/links.ts';
import { answerFrom, readFrom, type FarFacts } from './doors/from.ts';
import { createProbes, ownName } from './doors/probes.ts';
import { readSshWays } from './doors/ssh-settings.ts';
import { runStock } from './doors/stock-run.ts';
import { answerForSight, readSight } from './doors/worker-sight.ts';
import { environmentProxies } from './doors/proxies.ts';
import type { BothEnds } from './facts/both-ends.ts';
import type { DirectoryFacts } from './directory.ts';
import type { StockFacts } from './facts/stock.ts';
import type { Nat64Facts } from './facts/resolver.ts';
import type { Intent } from './intent.ts';
import { withPatches } from './mend.ts';
import { namesThatLeadHere } from './own-names.ts';
import { makePlan, type Plan } from './plan.ts';
import type { Here, Question } from './plan/question.ts';
import { sourcesInQuestion } from './plan/sources.ts';
import { recordProbes, type RecordedFact } from './recording.ts';
import { makeReport, type Reported } from './report.ts';
import { runChecks, type Outcome } from './run.ts';
import type { Subject } from './subject.ts';
import { verdictOf } from './verdicts.ts';

/** Everything together; whatever hangs is `unknown` then. */
const BUDGET_MS = 15_000;
/** One connection: longer than an absent neighbour takes to be noticed (3.1 s), short enough that what follows fits the budget. */
const CONNECT_MS = 5_000;
/** Files and names that are looked at before the plan is made may take this part of the budget each; a file system that hangs takes all it gets. */
const PREPARE_PART = 1 / 4;
/** And files that are run (`--exec-config`): what is left is enough to judge them. */
const RUN_PART = 2 / 3;

export interface ExamineOptions {
  question: Question;
  cwd: string;
  dir?: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  /** What the greeting says we are. */
  software: string;
  budgetMs?: number | undefined;
  connectMs?: number | undefined;
  only?: readonly string[];
  skip?: readonly string[];
  signal: AbortSignal;
  /** Clocks when the call began; a watch looks many times. */
  began?: ClockMark | undefined;
  /** Asks the master here what it and this worker see of the way between them, for `doctor path`. */
  askPath?: ((worker: string) => Promise<PathObject>) | undefined;
  /** Asks the master here what a worker sees of places, for `doctor source --worker`. */
  askPlaces?: ((worker: string, places: readonly DialPlace[]) => Promise<PlacesObject>) | undefined;
  onStart?: (check: Check, subject: Subject) => void;
  onOutcome?: (outcome: Outcome) => void;
}

export interface Examined extends Reported {
  readonly intent: Intent;
  readonly topic: Topic | undefined;
  readonly plan: Plan;
  /** When it began, UTC ISO 8601. */
  readonly at: string;
  readonly ms: number;
  readonly budgetMs: number;
  /** Files did not come in time; who asked for them may hang with them. */
  readonly isUnread: boolean;
  /** Every answer that the checks got. */
  readonly facts: readonly RecordedFact[];
}

/** Checks whose facts another machine tells; all others would look from here. */
function isToldByWorkers(id: string): boolean {
  return /^(LSN|PTH)-/.test(id) || ['DNS-02', 'PRO-01', 'PRO-02', 'PRO-03', 'PRO-09'].includes(id);
}

/** What a worker tells of its ways, in the place of this host's own tries; undefined where no worker is in question. */
async function bothEnds(
  { question, askPath }: ExamineOptions,
  probes: ReturnType<typeof createProbes>,
): Promise<BothEnds[] | undefined> {
  if (question.topic !== 'path' || question.worker === undefined || askPath === undefined) return undefined;
  const ends = readBothEnds(await askPath(question.worker));
  answerForWorker(probes, ends);
  return ends;
}

/** What of sources a worker tells; the rest would look from here. */
const SIGHT = new Set(['SRC-01', 'SRC-05', 'SRC-06']);

/** What a worker sees of the sources, in the place of what this host does; false where none is in question. */
async function workerSight(
  { question, askPlaces }: ExamineOptions,
  probes: ReturnType<typeof createProbes>,
  { subjects }: Plan,
): Promise<boolean> {
  if (question.topic !== 'source' || question.worker === undefined || askPlaces === undefined) return false;
  const places = new Map<string, DialPlace>();
  for (const subject of subjects)
    if (subject.kind === 'source' && subject.host !== null && subject.port !== null)
      places.set(`${subject.host} ${subject.port}`, { host: subject.host, port: subject.port });
  const asked = [...places.values()].slice(0, MOST_PLACES);
  // Where nothing is fetched from another host, the answer still says whether there is such a worker.
  answerForSight(probes, readSight(await askPlaces(question.worker, asked)));
  return true;
}

/** What another machine sees of the target, in the place of this host's own tries; undefined where none is named. */
async function farEnd(
  { question, env, software }: ExamineOptions,
  probes: ReturnType<typeof createProbes>,
  signal: AbortSignal,
): Promise<FarFacts | undefined> {
  const { from, target } = question;
  if (from === undefined || target === undefined || target.kind !== 'tcp') return undefined;
  const far = await readFrom(from, target, { env, signal });
  answerFrom(probes, far, from, { env, signal, software });
  return far;
}

/** Looks at what the question is about and reports. Rejects only for an abort, or a fault of bbx outside any check. */
export async function examine(options: ExamineOptions): Promise<Examined> {
  const { question, env, software, signal, budgetMs = BUDGET_MS } = options;
  const at = new Date().toISOString();
  const started = performance.now();
  const stop = new AbortController();
  const probes = createProbes({
    signal: AbortSignal.any([signal, stop.signal]),
    env,
    software,
    began: options.began,
    rests: question.soak === true ? RESTS_S : [],
    connectMs: Math.min(options.connectMs ?? CONNECT_MS, budgetMs),
  });
  try {
    const inPart = <Value>(work: Promise<Value>) => within(work, budgetMs * PREPARE_PART, signal);
    const [places, host] = await Promise.all([inPart(readPlaces(question, options, signal)), probes.host()]);
    const { directory, others, stock: read } = places ?? NO_PLACES;
    // A file that somebody else wrote is run only by who asks for it.
    const stock =
      question.execConfig === true && read !== undefined
        ? await runStock(read, {
            env,
            signal: AbortSignal.any([signal, stop.signal]),
            limitMs: budgetMs * RUN_PART,
          })
        : read;
    const ownNames = [
      ownName(),
      ...((await inPart(namesThatLeadHere(directory, host, (name) => probes.name(name)))) ?? []),
    ];
    const checkouts = question.topic === 'source' ? await inPart(checkoutsOf(directory, stock)) : [];
    const isUnread = places === undefined || checkouts === undefined;
    const ownAddresses = host.addresses.map(({ address }) => address);
    const ends = await bothEnds(options, probes);
    const far = await farEnd(options, probes, AbortSignal.any([signal, stop.signal]));
    const here: Here = {
      ...(ends === undefined ? {} : { ends }),
      directory,
      others,
      ownNames,
      ownAddresses,
      ...(stock === undefined ? {} : { stock }),
      checkouts: checkouts ?? [],
      ...(isUnread ? { unread: shownPlaces(question, options) } : {}),
      ...(question.topic === 'proxy' ? { proxies: environmentProxies(env) } : {}),
    };
    // A worker's ssh has a configuration of its own.
    const asked = question.worker === undefined ? sourcesInQuestion(question, here) : [];
    const urls = asked.flatMap(({ url }) => url ?? []);
    const sshWays = await inPart(readSshWays(urls, { env, signal: AbortSignal.any([signal, stop.signal]) }));
    const plan = makePlan(question, { ...here, ...(sshWays === undefined ? {} : { sshWays }) });
    const isSight = await workerSight(options, probes, plan);
    const checks: readonly Check[] = selectChecks({
      topic: question.topic,
      only: options.only ?? [],
      skip: options.skip ?? [],
    }).filter(({ id }) =>
      isSight ? SIGHT.has(id) : (ends === undefined && far === undefined) || isToldByWorkers(id),
    );
    const recorded = recordProbes(probes);
    const context = {
      intent: plan.intent,
      subjects: plan.subjects,
      topic: question.topic,
      probes: recorded.probes,
    };
    const outcomes = await runChecks({
      checks,
      context,
      budgetMs: Math.max(1, budgetMs - (performance.now() - started)),
      signal,
      ...(options.onStart === undefined ? {} : { onStart: options.onStart }),
      ...(options.onOutcome === undefined ? {} : { onOutcome: options.onOutcome }),
    });
    const { seen } = probes;
    const verdicts = plan.subjects
      .filter((subject) => subject.kind === 'target')
      .filter((target) => target.port !== undefined)
      .map((target): Verdict => {
        const sources = [...seen.sources.values()].filter((source) =>
          seen.paths.get(target.text)?.attempts.some((attempt) => attempt.address === source.target),
        );
        return verdictOf(target, target.vantage ?? plan.vantage, {
          name: seen.names.get(target.host),
          sources: sources.length === 0 ? undefined : sources,
          path: seen.paths.get(target.text),
          peers: seen.peers.get(target.text),
          authentication: seen.authentications.get(target.text),
          links: seen.links.get(target.text),
          rests: seen.rests.get(target.text),
          handshakes: seen.handshakes.get(target.text),
          way: seen.ways.get(target.text),
          tls: seen.tls.get(target.text),
          leadsNowhere: outcomes.some(({ subject, barredBy }) => subject === target && barredBy === 'PTH-08'),
        });
      });
    const reported = makeReport({
      checks,
      outcomes,
      verdicts,
      vantage: plan.vantage,
      host: seen.host,
      paths: [...seen.paths.values()],
      translated: recorded
        .facts()
        .some(({ probe, facts }) => probe === 'nat64' && hasPrefix(facts as Nat64Facts)),
    });
    return {
      ...reported,
      proposals: await withPatches(reported.proposals),
      intent: plan.intent,
      topic: question.topic,
      plan,
      at,
      budgetMs,
      facts: recorded.facts(),
      isUnread,
      ms: Math.round(performance.now() - started),
    };
  } finally {
    stop.abort(new Error('the examination is over'));
  }
}

/** What workers of this machine have checked out: bbx's below its builds, stock Buildbot's beside its `buildbot.tac`. */
async function checkoutsOf({ worker }: DirectoryFacts, stock: StockFacts | undefined): Promise<Checkout[]> {
  const dirs = [
    ...(worker === undefined ? [] : [workerLayout(worker.dir).builds]),
    ...(stock?.workers ?? []).map(({ file }) => dirname(file)),
  ];
  return (await Promise.all(dirs.map(readCheckouts))).flat();
}

function hasPrefix({ servers }: Nat64Facts): boolean {
  return servers.some(({ prefixes }) => prefixes.length > 0);
}
