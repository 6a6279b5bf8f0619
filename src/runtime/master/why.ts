import type { Result } from '../../build/results.ts';
import type { LinkEventObject, WhyObject } from '../../api/objects.ts';
import { misfit, refusal, type Candidate, type WorkerRule } from './match.ts';

type Reason = WhyObject['reasons'][number];

/** Something of the farm that does not work now, and so holds builds up. */
interface Trouble {
  subject: string;
  message: string;
  since: number;
}

/** What is known of a request that is asked about. */
export interface RequestFacts {
  id: number;
  builder: string;
  builderActive: boolean;
  wants: WorkerRule;
  submittedAt: number;
  claimed: boolean;
  result: Result | null;
  completeAt: number | null;
  /** Of one that was cancelled before a build of it began. */
  cancelReason: string | null;
  masterDraining: boolean;
  /** Why nothing can be written now. */
  storeTrouble: Trouble | undefined;
  /** Requests that go before this one and wait too. */
  before: number;
  builds: readonly {
    buildid: number;
    number: number;
    worker: string;
    result: Result | null;
    startedAt: number;
  }[];
}

/** Why a request has not started: each worker, and the one reason that it does not take it. */
export function whyRequest(request: RequestFacts, roster: readonly Candidate[]): WhyObject {
  const subject = `r${request.id}`;
  const last = request.builds.at(-1);
  if (request.result !== null) {
    const summary = `Request ${subject} of builder "${request.builder}" has ended: ${request.result}`;
    const reasons = request.builds.map((build) => aboutBuild(request.builder, build));
    if (request.cancelReason !== null)
      reasons.push({
        about: 'cancel',
        reason: request.cancelReason || 'no reason given',
        since: request.completeAt,
      });
    return { subject, summary, reasons };
  }
  if (request.claimed && last !== undefined) {
    const summary = `Request ${subject} is running as ${request.builder}/${last.number} on worker "${last.worker}"`;
    return { subject, summary, reasons: request.builds.map((build) => aboutBuild(request.builder, build)) };
  }
  const reasons: Reason[] = request.builds.map((build) => aboutBuild(request.builder, build));
  if (!request.builderActive) {
    reasons.push({
      about: `builder "${request.builder}"`,
      reason: 'the configuration no longer names it, so nothing starts a build of it',
      since: null,
    });
  }
  if (request.masterDraining) {
    reasons.push({ about: 'master', reason: 'it is draining and starts nothing new', since: null });
  }
  if (request.storeTrouble !== undefined) reasons.push(aboutTrouble(request.storeTrouble));
  for (const worker of roster) {
    const { reason, since } = whyNotWorker(request, worker);
    reasons.push({ about: `worker "${worker.name}"`, reason, since });
  }
  return { subject, summary: summaryOf(subject, request, roster), reasons };
}

/** The one reason why a worker does not take a request of this builder now. */
export function whyNotWorker(
  request: { builder: string; wants: WorkerRule },
  worker: Candidate,
): { reason: string; since: number | null } {
  const say = (reason: string, since: number | null = null) => ({ reason, since });
  const refused = refusal(worker);
  if (refused === 'removed') return say('it was removed from the farm');
  if (refused === 'invited') return say('it was invited and has never come');
  if (refused === 'pending')
    return say(`it waits for approval: bbx worker approve ${worker.name}`, worker.seenAt);
  const lacking = misfit(request.wants, worker);
  if (lacking !== undefined && 'name' in lacking) {
    return say(`the builder wants ${request.wants.names.map((name) => `"${name}"`).join(' or ')}`);
  }
  if (lacking !== undefined) return say(`it lacks tag "${lacking.tag}"`);
  if (refused === 'disconnected') {
    return say(worker.seenAt === null ? 'it has never connected' : 'it is not connected', worker.seenAt);
  }
  if (refused === 'paused') return say(`it is paused: bbx worker resume ${worker.name}`);
  if (refused === 'draining') {
    return say(
      `it is draining: it takes nothing new until its process starts again, or until: bbx worker resume ${worker.name}`,
    );
  }
  if (refused === 'resting') {
    return say(
      `it refused a build${worker.refusedWhy === null ? '' : ` (${worker.refusedWhy})`} and rests before it is asked again; at once: bbx worker resume ${worker.name}`,
    );
  }
  if (worker.building.has(request.builder)) return say('it runs a build of this builder now, one at a time');
  if (worker.building.size >= worker.maxBuilds)
    return say(`it is busy: ${worker.building.size} of ${worker.maxBuilds}`);
  return say('it is free: the request starts with the next round');
}

function summaryOf(subject: string, request: RequestFacts, roster: readonly Candidate[]): string {
  const start = `Request ${subject} of builder "${request.builder}" waits`;
  const fitting = roster.filter(
    (worker) => worker.state === 'approved' && misfit(request.wants, worker) === undefined,
  );
  if (!request.builderActive) return `${start}: its builder is not in the configuration`;
  if (request.masterDraining) return `${start}: the master is draining`;
  if (roster.length === 0) return `${start}: the farm has no worker; add one with: bbx worker add NAME`;
  if (fitting.length === 0) return `${start}: no worker of the farm fits its builder`;
  const ready = fitting.filter((worker) => refusal(worker) === undefined);
  if (ready.length === 0) return `${start}: no fitting worker takes work now (${fitting.length} would fit)`;
  const ahead =
    request.before === 0
      ? ''
      : `; ${request.before} of this builder ${request.before === 1 ? 'goes' : 'go'} before it`;
  return `${start} for one of ${ready.length} fitting ${ready.length === 1 ? 'worker' : 'workers'}${ahead}`;
}

function aboutBuild(builder: string, build: RequestFacts['builds'][number]): Reason {
  return {
    about: `build ${builder}/${build.number}`,
    reason: `${build.result ?? 'running'} on worker "${build.worker}"`,
    since: build.startedAt,
  };
}

export interface BuildFacts {
  builder: string;
  number: number;
  worker: string;
  attempt: number;
  state: string;
  result: Result | null;
  reason: string;
  submittedAt: number;
  startedAt: number;
  completeAt: number | null;
  lostAt: number | null;
  /** Times without a link to the worker while it ran. */
  links: readonly LinkEventObject[];
  /** What holds it up now: a full disk of the master or the worker, a store that is away. */
  troubles: readonly Trouble[];
  cancelReason: string | null;
  steps: readonly {
    number: number;
    name: string;
    result: Result | null;
    state: string;
    startedAt: number | null;
    completeAt: number | null;
  }[];
}

/** How a build came to be where it is: what asked for it, how long it waited, who runs it, and the step that decided its result. */
export function whyBuild(build: BuildFacts): WhyObject {
  const subject = `${build.builder}/${build.number}`;
  const reasons: Reason[] = [
    { about: 'request', reason: build.reason, since: build.submittedAt },
    {
      about: `worker "${build.worker}"`,
      reason:
        `took it ${seconds(build.startedAt - build.submittedAt)} after it was asked for` +
        (build.attempt > 1 ? ` (this is try ${build.attempt})` : ''),
      since: build.startedAt,
    },
  ];
  if (build.lostAt !== null && build.completeAt === null) {
    reasons.push({
      about: `worker "${build.worker}"`,
      reason: 'the link to it is lost; the build may go on there',
      since: build.lostAt,
    });
  }
  reasons.push(...build.links.flatMap(aboutLink), ...build.troubles.map(aboutTrouble));
  if (build.cancelReason !== null) {
    reasons.push({ about: 'cancel', reason: build.cancelReason || 'no reason given', since: null });
  }
  const cause = causeOf(build);
  for (const step of build.steps) {
    if (step !== cause && !(build.result === null && step.completeAt === null && step.startedAt !== null))
      continue;
    reasons.push({
      about: `step ${step.number} "${step.name}"`,
      reason: step.result === null ? step.state || 'running' : `${step.result}: ${step.state}`,
      since: step.completeAt ?? step.startedAt,
    });
  }
  if (build.result !== null && build.completeAt !== null) {
    const took = seconds(build.completeAt - build.startedAt);
    reasons.push({ about: 'end', reason: `${build.result} after ${took}`, since: build.completeAt });
  }
  return { subject, summary: buildSummary(subject, build, cause), reasons };
}

function aboutTrouble({ subject, message, since }: Trouble): Reason {
  return { about: `held up by ${subject}`, reason: message, since };
}

/** A lost link: what is known of it, and what each side saw by itself. */
function aboutLink(link: LinkEventObject): Reason[] {
  const span = link.seconds === null ? 'and not back' : `for ${link.seconds.toFixed(1)} s`;
  return [
    { about: 'link', reason: `lost ${span}: ${link.words}`, since: link.lost_at },
    { about: 'link, seen by the master', reason: link.master, since: link.lost_at },
    {
      about: 'link, seen by the worker',
      reason: link.worker ?? 'it has not told what it saw',
      since: link.lost_at,
    },
  ];
}

function causeOf(build: BuildFacts): BuildFacts['steps'][number] | undefined {
  if (build.result === null || build.result === 'success') return undefined;
  return (
    build.steps.find((step) => step.result === build.result) ??
    build.steps.find((step) => step.result !== null && step.result !== 'success' && step.result !== 'skipped')
  );
}

function buildSummary(
  subject: string,
  build: BuildFacts,
  cause: BuildFacts['steps'][number] | undefined,
): string {
  if (build.result === null) {
    const step = build.steps.find(({ startedAt, completeAt }) => startedAt !== null && completeAt === null);
    const where = step === undefined ? '' : `, in step "${step.name}"`;
    return build.lostAt === null
      ? `Build ${subject} runs on worker "${build.worker}"${where}`
      : `Build ${subject} waits for its worker "${build.worker}" to come back`;
  }
  const because = cause === undefined ? build.state : `step "${cause.name}": ${cause.state}`;
  return `Build ${subject} ended as ${build.result}${because === '' ? '' : ` (${because})`}`;
}

/** A span for people: `3s`, `4m`, `2h`, `5d`. */
export function seconds(span: number): string {
  const whole = Math.max(0, Math.round(span));
  if (whole < 120) return `${whole}s`;
  if (whole < 7_200) return `${Math.round(whole / 60)}m`;
  if (whole < 172_800) return `${Math.round(whole / 3_600)}h`;
  return `${Math.round(whole / 86_400)}d`;
}
