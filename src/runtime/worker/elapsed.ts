import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** A clock of the machine that nobody sets, which goes on while it sleeps and across processes. */
export interface Elapsed {
  /** Names this run of the machine; readings of different runs have nothing to do with each other. */
  readonly host: string;
  /** Seconds since some moment of this run. */
  seconds(): number;
}

/** Linux's time since boot; elsewhere the process's own clock, which nothing outside the process can be compared with. */
export function machineElapsed(): Elapsed {
  return (machine ??= readMachine());
}

/** A process sees one run of the machine. */
let machine: Elapsed | undefined;

function readMachine(): Elapsed {
  try {
    const host = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { host, seconds: uptime };
  } catch {
    return { host: randomBytes(8).toString('hex'), seconds: () => performance.now() / 1000 };
  }
}
