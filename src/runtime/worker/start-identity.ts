import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from '../../base/error.ts';
import type { Log } from '../../base/log.ts';
import type { WorkerLayout } from '../../config/layout.ts';
import type { Join } from '../../protocol/bbx/join.ts';
import { parseJoin } from '../../protocol/bbx/join.ts';
import { createWorkerKey, readSigningKey } from '../../protocol/bbx/keys.ts';
import type { SigningKey } from '../../protocol/bbx/keys.ts';
import { readLearned, writeLearned } from './link-learned.ts';
import type { Learned } from './link-learned.ts';

/** Who this worker is, whom it trusts and where it goes, from its directory and from what it learns. */
export interface WorkerIdentity {
  readonly key: SigningKey;
  /** Keys of the master to accept: those of worker.yaml, of the join string, and those learned. */
  pins(): string[];
  /** Ways to the master that are not in worker.yaml, best first. */
  reach(): string[];
  secret(): string | undefined;
  learn(learned: Learned): Promise<void>;
  /** The join string has done its work: it is deleted. */
  enrolled(): Promise<void>;
}

/** Makes the key at the first start. Throws BBX-PRO-KEY and BBX-PRO-JOIN. */
export async function openIdentity(
  layout: WorkerLayout,
  ownPins: readonly string[],
  log: Log,
): Promise<WorkerIdentity> {
  await mkdir(dirname(layout.learned), { recursive: true, mode: 0o700 });
  const key = await openKey(layout.key, log);
  const text = await readIfThere(layout.join);
  let join: Join | undefined = text === undefined ? undefined : parseJoin(text);
  const joinPins = join?.pins ?? [];
  const joinReach = join?.reach ?? [];
  let learned = await readLearned(layout.learned);
  const learn = async (given: Learned) => {
    // A master that says nothing about itself takes nothing away.
    const next = {
      pins: given.pins.length > 0 ? given.pins : learned.pins,
      reach: given.reach.length > 0 ? given.reach : learned.reach,
    };
    if (JSON.stringify(next) === JSON.stringify(learned)) return;
    learned = next;
    await writeLearned(layout.learned, next);
  };
  return {
    key,
    pins: () => [...new Set([...ownPins, ...joinPins, ...learned.pins])],
    reach: () => [...new Set([...learned.reach, ...joinReach])],
    secret: () => join?.secret.reveal(),
    learn,
    async enrolled() {
      if (join === undefined) return;
      // What it taught stays, the secret goes.
      const { pins, reach } = join;
      await learn({
        pins: [...new Set([...learned.pins, ...pins])],
        reach: [...new Set([...learned.reach, ...reach])],
      });
      join = undefined;
      await rm(layout.join, { force: true });
      log.info('enrolled; the join string is used and deleted');
    },
  };
}
async function openKey(file: string, log: Log): Promise<SigningKey> {
  const pem = await readIfThere(file);
  if (pem !== undefined) return readSigningKey(pem, file);
  const made = createWorkerKey();
  await writeFile(file, made.pem, { mode: 0o600, flag: 'wx' });
  log.info(`Made this worker's key; its fingerprint is ${made.key.fingerprint}`);
  return made.key;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Said at every start, where it is so: what a build can do then. */
export function sayWhatRootMeans(log: Log, runAs: { user: string } | null): void {
  if (process.geteuid?.() !== 0) return;
  log.warn(
    runAs === null
      ? 'This worker runs as root: every build can do anything on this machine and read the worker’s key; set runAs in worker.yaml, or run it as a user of its own'
      : `This worker runs as root and its builds as "${runAs.user}": they cannot read its key, but a fault of bbx would have root’s power`,
  );
}
