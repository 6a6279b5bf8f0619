import { setTimeout as delay } from 'node:timers/promises';
import { drillConfig, type BuilderName, BUILDER_NAMES } from './plan.ts';
import type { DrillFarm } from './programs.ts';

/** What was asked for while the drill ran, to be compared with what came of it. */
export interface Asked {
  /** Requests whose submission was answered, by id. */
  requests: Map<number, BuilderName>;
  /** Requests that somebody wanted cancelled, whatever came of it. */
  cancelled: Set<number>;
  reloads: number;
}

export interface Acting {
  rig: DrillFarm;
  asked: Asked;
  random: () => number;
  say: (line: string) => void;
  /** Kills workers too, so builds may be interrupted. */
  killWorkers: boolean;
  slow: boolean;
  grace: string;
}

export type Act = (acting: Acting) => Promise<void>;

const upTo = (random: () => number, most: number) => Math.floor(random() * most);
const pick = <Value>(random: () => number, from: readonly Value[]): Value => from[upTo(random, from.length)]!;
/** Longest time in which a master that was told to stop must be gone, ms. */
const STOP_MS = 8_000;

async function startMaster({ rig, random, say }: Acting): Promise<void> {
  // Half of the starts are cut short: while it opens its store, while it adopts, right after.
  for (let tries = upTo(random, 3); tries > 0; tries -= 1) {
    const program = rig.launchMaster();
    const ms = 150 + upTo(random, 1_800);
    await delay(ms);
    const signal = random() < 0.7 ? 'SIGKILL' : 'SIGTERM';
    say(`${signal} to a master of ${ms} ms`);
    const code = await program.end(signal, STOP_MS);
    if (signal === 'SIGTERM' && code !== 0 && code !== -15)
      throw new Error(`a master that was told to stop after ${ms} ms ended with ${code}`);
  }
  rig.launchMaster();
  await rig.masterAnswers();
}

const ACTS: Record<string, { weight: number; workers?: boolean; slow?: boolean; act: Act }> = {
  'kill the master': {
    weight: 4,
    async act(acting) {
      await acting.rig.master.end('SIGKILL');
      await delay(upTo(acting.random, 600));
      await startMaster(acting);
    },
  },
  'stop the master': {
    weight: 2,
    async act(acting) {
      const code = await acting.rig.master.end('SIGTERM', STOP_MS);
      if (code !== 0) throw new Error(`the master ended with ${code} within ${STOP_MS} ms of TERM`);
      await startMaster(acting);
    },
  },
  'reset all links': {
    weight: 3,
    async act({ rig }) {
      rig.relay.reset();
    },
  },
  'reset links again and again': {
    weight: 2,
    async act({ rig, random }) {
      for (let round = 0; round < 12; round += 1) {
        rig.relay.reset();
        await delay(upTo(random, 400));
      }
    },
  },
  'half-open, the workers know': {
    weight: 2,
    async act({ rig }) {
      rig.relay.halfOpen('near');
    },
  },
  // The workers hear nothing for 35 s then: only where there is time for that.
  'half-open, the master knows': {
    weight: 1,
    slow: true,
    async act({ rig }) {
      rig.relay.halfOpen('far');
    },
  },
  unplug: {
    weight: 2,
    async act({ rig, random }) {
      rig.relay.unplug();
      await delay(300 + upTo(random, 2_500));
      if (random() < 0.5) rig.relay.reset();
      rig.relay.plug();
    },
  },
  reload: {
    weight: 2,
    async act({ rig, asked, grace }) {
      asked.reloads += 1;
      const { farm, workers } = rig;
      await farm.writeConfig(drillConfig({ dir: farm.dir, workers, grace, round: asked.reloads }));
      rig.master.child.kill('SIGHUP');
    },
  },
  cancel: {
    weight: 3,
    async act({ rig, asked, random }) {
      const { running, pending } = await rig.client.call('status', {});
      const waiting = pending.length > 0 && random() < 0.3;
      if (!waiting && running.length === 0) return;
      const id = waiting ? pick(random, pending).buildrequestid : pick(random, running).buildrequestid;
      asked.cancelled.add(id);
      await rig.client.call('cancelRequest', { params: { request: `r${id}` }, body: { reason: 'drill' } });
    },
  },
  'pause and resume': {
    weight: 1,
    async act({ rig, random }) {
      const params = { worker: pick(random, rig.workers) };
      await rig.client.call('pauseWorker', { params });
      await delay(upTo(random, 500));
      await rig.client.call('resumeWorker', { params });
    },
  },
  'kill a worker': {
    weight: 3,
    workers: true,
    async act({ rig, random }) {
      const name = pick(random, rig.workers);
      await rig.worker(name).end('SIGKILL');
      await delay(upTo(random, 500));
      rig.launchWorker(name);
    },
  },
  'stop a worker at once': {
    weight: 1,
    workers: true,
    async act({ rig, random }) {
      const name = pick(random, rig.workers);
      const program = rig.worker(name);
      program.child.kill('SIGTERM');
      await delay(upTo(random, 100));
      await program.end('SIGTERM', 25_000);
      rig.launchWorker(name);
    },
  },
  'stop a worker in good order': {
    weight: 1,
    workers: true,
    async act({ rig, random }) {
      const name = pick(random, rig.workers);
      await rig.worker(name).end('SIGTERM', 40_000);
      rig.launchWorker(name);
    },
  },
};

/** Does one thing to the farm, or asks for a few builds. */
export async function actOnce(acting: Acting): Promise<void> {
  const { random, say, killWorkers, slow } = acting;
  const acts = Object.entries(ACTS).filter(
    ([, act]) => (killWorkers || act.workers !== true) && (slow || act.slow !== true),
  );
  let left = random() * acts.reduce((sum, [, { weight }]) => sum + weight, 0);
  const [name, { act }] = acts.find(([, { weight }]) => (left -= weight) < 0) ?? acts[0]!;
  say(name);
  await act(acting).catch((error: unknown) => {
    // Calls that a dying master does not answer are part of it.
    if ((error as { code?: string }).code?.startsWith('BBX-API-') !== true) throw error;
  });
}

/** Asks for builds, as far as the master answers. */
export async function askForBuilds({ rig, asked, random }: Acting, count: number): Promise<void> {
  for (let one = 0; one < count; one += 1) {
    const builder = pick(random, BUILDER_NAMES);
    const request = await rig.client
      .call('startBuild', { body: { builder, reason: 'drill' } }, { timeoutMs: 3_000 })
      .catch(() => undefined);
    if (request !== undefined) asked.requests.set(request.buildrequestid, builder);
  }
}
