import { openSync, readSync } from 'node:fs';

/** A moment in the life of the process table, on Linux. */
export interface Moment {
  /** The pid that was given away last. */
  lastPid: number;
  /**
   * Processes and threads that were ever begun. A fork that a cgroup's `pids.max` refuses takes a pid and is not counted (Linux asks the cgroup after it
   * has chosen the pid), so a program that is refused tens of thousands of times can bring pids round unnoticed.
   */
  forks: number;
}

/** So many may be born while somebody looks; they count as younger, too. */
const LOOKING = 200;

/** The moment that is now; undefined where there is no /proc. */
export function momentNow(): Moment | undefined {
  try {
    const lastPid = lastPidNow();
    const forks = Number(/^processes (\d+)$/m.exec(readKept('/proc/stat'))?.[1]);
    return lastPid !== undefined && Number.isInteger(forks) ? { lastPid, forks } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Which pids may have been given away after a moment; all of them where that cannot be told. Pids are given away in ascending order and begin
 * anew at `pid_max` (pid_namespaces(7), proc(5)); as long as fewer were needed than there are, the order says who is younger.
 */
export function bornAfter(
  moment: Moment | undefined,
  now = moment === undefined ? undefined : momentNow(),
): (pid: number) => boolean {
  if (moment === undefined || now === undefined) return () => true;
  // Those that are in use are skipped, so fewer than all bring it round: half is safe.
  if (now.forks - moment.forks >= pidMax() / 2) return () => true;
  const { lastPid } = moment;
  const newest = now.lastPid + LOOKING;
  return now.lastPid >= lastPid
    ? (pid) => pid > lastPid && pid <= newest
    : (pid) => pid > lastPid || pid <= newest;
}

/** More pids than this are not asked for one by one: a list of all processes is cheaper then. */
const FEW_PIDS = 64;

/**
 * The pids that were given away between a moment and now, dead ones among them; undefined when they are many or cannot be told. With 200 processes
 * on the machine, asking for 20 pids takes 0.1 ms, and to list /proc 0.25 ms.
 */
export function fewBornAfter(
  moment: Moment | undefined,
  now = moment === undefined ? undefined : momentNow(),
): number[] | undefined {
  if (moment === undefined || now === undefined || now.forks - moment.forks >= pidMax() / 2) return undefined;
  const count = now.lastPid - moment.lastPid;
  if (count < 0 || count > FEW_PIDS) return undefined;
  return Array.from({ length: count }, (_, index) => moment.lastPid + 1 + index);
}

/** The pid that was given away last, alone: half the price of a moment. */
export function lastPidNow(): number | undefined {
  try {
    const pid = Number(readKept('/proc/loadavg').trim().split(' ').at(-1));
    return Number.isInteger(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function pidMax(): number {
  try {
    return Number(readKept('/proc/sys/kernel/pid_max'));
  } catch {
    return 0;
  }
}

/** Files of /proc that stay open: to read one again is one call to the system, and with opening it five. */
const kept = new Map<string, number>();
const PART_BYTES = 16 * 1024;
const part = Buffer.allocUnsafeSlow(PART_BYTES);

function readKept(path: string): string {
  const file = kept.get(path) ?? openSync(path, 'r');
  kept.set(path, file);
  let text = '';
  for (let at = 0; ;) {
    const got = readSync(file, part, 0, PART_BYTES, at);
    text += part.toString('latin1', 0, got);
    // These files are made whole when they are read from their beginning (seq_file's single_open), so a short part is the last.
    if (got < PART_BYTES) return text;
    at += got;
  }
}
