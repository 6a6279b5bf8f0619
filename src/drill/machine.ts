import { join } from 'node:path';
import { startProgram, type BbxCommand, type Program } from './program.ts';
import type { Relay } from './relay.ts';
import { shiftedClock } from './shifted-clock.ts';

/** One program of the farm, on a machine of its own as far as a drill can tell. */
export interface Machine {
  readonly name: string;
  readonly dir: string;
  /** The newest process; it may have ended. */
  program: Program;
  /** Starts it (again) and waits for nothing; `before`: words that come before its own, and `env` for these. */
  launch(how?: { before: readonly string[]; env: Readonly<Record<string, string>> }): Promise<Program>;
  /** Moves its wall clock by so many seconds from the true time. */
  jump(seconds: number): Promise<void>;
}

export interface WorkerMachine extends Machine {
  readonly relay: Relay;
}

/** The farm that machines stand in. */
export interface MachinePlace {
  bbx: BbxCommand;
  dir: string;
  /** The programs say all that they know into files there. */
  said: string;
  env: Readonly<Record<string, string | undefined>>;
  /** The words that lead into the farm's namespace; empty without one. */
  within(): readonly string[];
}

/** A machine whose program is not started yet: `bbx` with these words, in directory `dir`. */
export function createMachine(
  place: MachinePlace,
  { name, dir, args }: { name: string; dir: string; args: readonly string[] },
): Machine {
  const clock = shiftedClock(join(place.dir, `clock-${name}`));
  const machine: Machine = {
    name,
    dir,
    program: undefined as never,
    jump: clock.jump,
    async launch({ before, env } = { before: [], env: {} }) {
      machine.program = await startProgram(place.bbx, args, {
        within: [...place.within(), ...before],
        cwd: place.dir,
        env: { ...place.env, ...clock.env, ...env },
        output: join(place.said, `${name}.txt`),
      });
      return machine.program;
    },
  };
  return machine;
}
