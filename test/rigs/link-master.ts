import { systemClock } from '../../src/base/clock.ts';
import type { BuildPlan } from '../../src/build/plan.ts';
import type { ProgressEvent } from '../../src/build/progress.ts';
import { readSigningKey } from '../../src/protocol/bbx/keys.ts';
import type { SigningKey } from '../../src/protocol/bbx/keys.ts';
import { leaseKey, logKey } from '../../src/protocol/bbx/lease.ts';
import type { Lease } from '../../src/protocol/bbx/lease.ts';
import type { Limits } from '../../src/protocol/bbx/limits.ts';
import type { SessionEnd } from '../../src/protocol/bbx/line.ts';
import { serveMasterSession } from '../../src/protocol/bbx/master-session.ts';
import type {
  Decision,
  LogBytes,
  MasterSession,
  WorkerClaim,
} from '../../src/protocol/bbx/master-contract.ts';
import { createFarmKey } from '../../src/net/tls/certificate.ts';
import type { MessageSocket } from '../../src/protocol/bbx/wire.ts';
import type { Dialled } from '../../src/runtime/worker/link.ts';
import { memoryWire } from './memory-wire.ts';
import type { MemorySocket } from './memory-wire.ts';

/** What the small master has of one build. `stored` survives a lost session, what was only received does not: as after a crash. */
export interface MasterBuild {
  lease: Lease;
  plan: BuildPlan;
  events: ProgressEvent[];
  logs: Map<string, { step: number; log: string; chunks: Buffer[]; bytes: number }>;
  answers: { accepted: boolean; why?: string | undefined }[];
  abandoned: string | undefined;
}

/** A master that keeps builds in memory and drives the real session code: for the worker's end, as long as it is the thing tested. */
export function createLinkMaster(
  options: {
    epoch?: string;
    /** The farm's key, PEM. */
    key?: string;
    limits?: Partial<Limits>;
    decide?: (claim: WorkerClaim) => Decision;
    /** Milliseconds until what was received counts as stored. */
    storeMs?: number;
    /** A piece that there is no room for: its log rests for some milliseconds, and comes again from there. */
    noRoomFor?: (piece: LogBytes) => boolean;
  } = {},
) {
  const key: SigningKey = readSigningKey(options.key ?? createFarmKey(), 'farm');
  const builds = new Map<string, MasterBuild>();
  const wires: [MemorySocket, MemorySocket][] = [];
  const ends: SessionEnd[] = [];
  const waiters: (() => void)[] = [];
  let current: MasterSession | undefined;
  const changed = () => {
    for (const waiter of [...waiters]) waiter();
  };
  const master = {
    key,
    pin: key.fingerprint,
    epoch: options.epoch ?? 'epoch-1',
    builds,
    wires,
    ends,
    sessions: 0,
    states: [] as { draining: boolean; notes: readonly string[] }[],
    orphanAfter: null as number | null,
    /** Called with both ends of each new wire, to make trouble on it. */
    onWire: undefined as ((worker: MemorySocket, master: MemorySocket, number: number) => void) | undefined,
    /** Called with what lets a log that rests go on; without it that is a matter of milliseconds. */
    onPause: undefined as ((proceed: () => void) => void) | undefined,
    get session() {
      return current;
    },
    dial(): Promise<Dialled> {
      const [theirs, ours] = memoryWire();
      wires.push([theirs, ours]);
      master.onWire?.(theirs, ours, wires.length);
      const exporter = Buffer.alloc(32, wires.length);
      master.serve(ours, exporter);
      return Promise.resolve({ socket: theirs, peer: 'memory', exporter });
    },
    serve(socket: MessageSocket, exporter: Uint8Array, peer = 'memory'): MasterSession {
      // What a session has received and the master not stored before it ended is gone with it.
      const inHand = new Map<string, Promise<void>>();
      const inHandOf = (lease: Lease) => inHand.get(leaseKey(lease)) ?? Promise.resolve();
      let closed = false;
      // Logs that rested are stored beside the rest: the end of their step waits for them.
      const apart = new Map<string, Promise<void>>();
      const store = (lease: Lease, act: (build: MasterBuild) => void | Promise<void>, log?: string) => {
        const later = async () => {
          if (options.storeMs !== undefined)
            await new Promise((resolve) => setTimeout(resolve, options.storeMs));
          const build = builds.get(leaseKey(lease));
          if (build === undefined || closed) return;
          await act(build);
          if (closed) return;
          session.acknowledge(lease, {
            sequence: build.events.length,
            logs: [...build.logs.values()].map(({ step, log, bytes }) => ({ step, log, bytes })),
          });
          changed();
        };
        const behind = log === undefined ? undefined : apart.get(log);
        const stored = (behind ?? inHandOf(lease)).then(later);
        stored.catch(() => undefined);
        if (log === undefined || behind === undefined) inHand.set(leaseKey(lease), stored);
        else apart.set(log, stored);
      };
      const session = serveMasterSession({
        socket,
        peer,
        exporter,
        key,
        epoch: master.epoch,
        software: 'test',
        clock: systemClock,
        ...(options.limits === undefined ? {} : { limits: options.limits }),
        authenticate: (claim) =>
          Promise.resolve(
            options.decide?.(claim) ?? { let: 'in', session: 's', reach: [], pins: [key.fingerprint] },
          ),
        onRejected: (end) => void ends.push(end),
        accept: (own) => {
          return {
            onInventory(inventory) {
              current = own;
              master.sessions += 1;
              const there = new Set(inventory.builds.map(leaseKey));
              for (const lease of inventory.builds) {
                const build = builds.get(leaseKey(lease));
                if (build === undefined || isOver(build)) own.drop(lease, 'not wanted here');
                else {
                  own.resume(lease, {
                    sequence: build.events.length,
                    logs: [...build.logs.values()].map(({ step, log, bytes }) => ({ step, log, bytes })),
                  });
                }
              }
              for (const build of builds.values())
                if (!there.has(leaseKey(build.lease)) && !isOver(build)) give(own, build);
              changed();
            },
            onAssigned: (answer) => {
              builds.get(leaseKey(answer))?.answers.push(answer);
              changed();
            },
            onProgress(lease, sequence, event) {
              store(lease, async (build) => {
                if (sequence !== build.events.length + 1)
                  throw new Error(`event ${sequence} after ${build.events.length}`);
                if (event.type === 'stepFinished') {
                  for (const { name, bytes } of event.logs) {
                    const key = logKey(event.step, name);
                    while (apart.has(leaseKey(lease) + key) && !closed) {
                      if ((build.logs.get(key)?.bytes ?? 0) >= bytes) break;
                      await new Promise((resolve) => setTimeout(resolve, 1));
                    }
                    if (closed) return;
                    const have = build.logs.get(key)?.bytes ?? 0;
                    if (have !== bytes) throw new Error(`log ${name}: ${have} of ${bytes}`);
                  }
                }
                build.events.push(event);
              });
            },
            onBytes(piece) {
              const { step, log, offset, bytes, ...lease } = piece;
              const name = logKey(step, log);
              const key = leaseKey(lease) + name;
              if (options.noRoomFor?.(piece) === true) {
                if (!own.pauseLog(lease, { step, log, from: offset })) throw new Error('it cannot pause');
                apart.set(key, apart.get(key) ?? inHandOf(lease));
                const proceed = () => own.proceedLog(lease, { step, log });
                if (master.onPause === undefined) setTimeout(proceed, offset % 5);
                else master.onPause(proceed);
                changed();
                return;
              }
              const copy = Buffer.from(bytes);
              const act = (build: MasterBuild) => {
                let entry = build.logs.get(name);
                if (entry === undefined) build.logs.set(name, (entry = { step, log, chunks: [], bytes: 0 }));
                if (entry.bytes !== offset) throw new Error(`bytes at ${offset} after ${entry.bytes}`);
                entry.chunks.push(copy);
                entry.bytes += copy.length;
              };
              store(lease, act, key);
            },
            onState: (state) => {
              master.states.push(state);
              changed();
            },
            onAbandoned: (lease, why) => {
              const build = builds.get(leaseKey(lease));
              if (build !== undefined) build.abandoned = why;
              changed();
            },
            onClosed(end) {
              closed = true;
              ends.push(end);
              if (current === own) current = undefined;
              changed();
            },
          };
        },
      });
      return session;
    },
    /** Wants a build; it is assigned to whoever is connected or connects. */
    want(build: number, plan: BuildPlan, attempt = 1): MasterBuild {
      const lease = { build, token: `${attempt}-${build.toString(16).padStart(16, '0')}` };
      const entry: MasterBuild = {
        lease,
        plan,
        events: [],
        logs: new Map(),
        answers: [],
        abandoned: undefined,
      };
      builds.set(leaseKey(lease), entry);
      if (current !== undefined && !current.ended) give(current, entry);
      return entry;
    },
    /** Resolves when the condition holds; looked at after everything that happens. */
    async until(condition: () => boolean, what: string, limitMs = 10_000): Promise<void> {
      if (condition()) return;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          waiters.splice(waiters.indexOf(look), 1);
          reject(new Error(`did not happen within ${limitMs} ms: ${what}`));
        }, limitMs);
        const look = () => {
          if (!condition()) return;
          clearTimeout(timer);
          waiters.splice(waiters.indexOf(look), 1);
          resolve();
        };
        waiters.push(look);
      });
    },
  };
  function give(session: MasterSession, { lease, plan }: MasterBuild): void {
    session.assign(lease, { plan, secrets: {}, orphanAfter: master.orphanAfter });
  }
  return master;
}

export function isOver(build: MasterBuild): boolean {
  return build.events.at(-1)?.type === 'buildFinished' || build.abandoned !== undefined;
}

export function logOf(build: MasterBuild, step: number, log = 'stdio'): Buffer {
  return Buffer.concat(build.logs.get(logKey(step, log))?.chunks ?? []);
}
