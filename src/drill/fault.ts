import type { Random } from './random.ts';
import type { Sandbox } from './sandbox.ts';

/** What a fault can choose from. */
export interface Shape {
  workers: readonly string[];
  /** Whole ranges instead of mostly short draws. */
  long: boolean;
  /** Whether builders can check sources out. */
  git: boolean;
}

/** What strikes may tell while they last. */
export interface Striking {
  signal: AbortSignal;
  /** The farm has said, at this moment, that something is wrong. */
  noticed(): void;
  /** Something that must hold did not. */
  wrong(what: string): void;
}

/**
 * What may become of the builds of the workers that were hit, beside their own result: nothing; an end as `exception` (or a repetition when nothing had
 * begun); or that the master gives them up and they are built again.
 */
export type Mercy = 'untouched' | 'interrupted' | 'givenUp';

/** A fault with everything drawn. */
export interface Blow {
  /** `kill -9 the master, back after 0.4 s`. */
  words: string;
  /** `lostWorkerGrace` of this round; so long that it never counts unless told. */
  grace?: string;
  mercy: Mercy;
  /** Workers whose builds the mercy is for. */
  hit?: readonly string[];
  /** An attempt of theirs may still live so long beside the next, ms; else not at all. */
  besideMs?: number;
  /** Where it lasts longer than this, the link of this worker must have been noticed to be dead by then. */
  notice?: { worker: string; withinMs: number };
  /** Makes the fault and undoes it. When it resolves the farm must come back by itself. */
  strike(farm: Sandbox, striking: Striking): Promise<void>;
}

/** What a fault wants of the machine or of the call; `disks` are small ones below what a worker keeps, `masterDisks` below what the master does. */
export type Need = 'disks' | 'masterDisks' | 'postgres' | 'strace';

/** One kind of outage: a row of docs/drill.md. */
export interface Fault {
  /** For `--faults`. */
  name: string;
  /** What happens, in few words. */
  title: string;
  /** What must hold. */
  holds: string;
  /** How often it comes, beside the others. */
  weight: number;
  needs?: Need;
  /** The store without which there is nothing to make it on. */
  only?: 'sqlite';
  /** A checkout rightly fails meanwhile: no builder that does one is asked for. */
  turnsCheckoutsRed?: true;
  draw(random: Random, shape: Shape): Blow;
}
