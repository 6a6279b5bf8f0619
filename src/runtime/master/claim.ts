import type { BuildPlan } from '../../build/plan.ts';
import type { MasterConfig } from '../../config/master.ts';
import { claimRequest, requestsByIds } from '../../store/buildrequests.ts';
import { startBuild } from '../../store/builds.ts';
import type { Tx } from '../../store/database.ts';
import { courseOf } from './course.ts';
import type { Emit } from './events.ts';
import type { Pair } from './match.ts';
import { orphanAfter } from './orphan.ts';
import { makePlan } from './plans.ts';
import type { Running } from './running.ts';
import type { Roster } from './workers/roster.ts';

/** A build that has its rows, and that its worker is to hear of. */
export interface Started {
  build: Running;
  plan: BuildPlan;
  orphanAfter: number | null;
}

/** Builds that begin in the transaction that ends others: one commit, one flush and one message for both. */
export interface NextBuilds {
  /** Claims what waits for the places that the builds which end here leave; a transaction that is done anew calls it anew. */
  claim(tx: Tx, emit: Emit, ending: ReadonlySet<number>): Promise<void>;
  /** It is committed, and memory knows that those have ended: the workers hear of theirs. */
  begin(): void;
  /** To be called whatever came of it: rounds of the dispatcher wait for it. */
  release(): void;
}

/**
 * Claims the requests of pairs and begins their builds, as rows and events of a transaction. A request that is claimed or cancelled already is among
 * `gone`; a pair whose worker or builder is no more is left out, and its request waits on.
 */
export async function claimBuilds(
  tx: Tx,
  emit: Emit,
  pairs: readonly Pair[],
  { roster, config, now }: { roster: Roster; config: MasterConfig; now: number },
): Promise<{ started: Started[]; gone: number[] }> {
  const started: Started[] = [];
  const gone: number[] = [];
  const asked = pairs.map(({ request }) => request);
  const rows = new Map((await requestsByIds(tx, asked)).map((row) => [row.buildrequestid, row]));
  for (const pair of pairs) {
    const row = rows.get(pair.request);
    const worker = roster.get(pair.worker);
    const builder = config.builders[pair.builder];
    if (worker === undefined || builder === undefined) continue;
    if (row === undefined || !(await claimRequest(tx, pair.request, now))) {
      gone.push(pair.request);
      continue;
    }
    const { repository, branch, revision } = row;
    const planFor = (number: number) =>
      makePlan(config, builder, {
        builder: pair.builder,
        number,
        worker: worker.name,
        source: { repository, branch, revision },
        properties: row.properties,
      });
    const attempt = row.attempts + 1;
    const patient = builder.orphan === 'continue';
    const graceMs = config.lostWorkerGraceMs;
    const goesOnFor = patient ? null : orphanAfter(graceMs);
    const { buildid, number, token, plan } = await startBuild(tx, {
      builderid: row.builderid,
      buildrequestid: row.buildrequestid,
      workerid: worker.workerid,
      attempt,
      orphanAfter: goesOnFor,
      plan: planFor,
      now,
    });
    emit({
      type: 'build.started',
      buildid,
      builder: pair.builder,
      number,
      worker: worker.name,
      buildrequestid: row.buildrequestid,
    });
    const build: Running = {
      lease: { build: buildid, token },
      buildid,
      builder: pair.builder,
      builderid: row.builderid,
      number,
      requestid: row.buildrequestid,
      worker,
      attempt,
      patient,
      graceMs,
      session: undefined,
      lastAt: now,
      lostAt: null,
      cancelReason: null,
      sequence: 0,
      properties: plan.properties,
      stepCount: plan.steps.length,
      course: courseOf(0, []),
      steps: new Map(),
      logs: new Map(),
      givenUp: false,
      taken: false,
      ended: false,
      graceTimer: undefined,
    };
    started.push({ build, plan, orphanAfter: goesOnFor });
  }
  return { started, gone };
}
