import { readFileSync } from 'node:fs';

/** Linux counts a process's time in hundredths of a second, whatever its kernel's own tick. */
const TICKS_PER_SECOND = 100;

/** Processor time that a process has taken so far, in the kernel and outside of it, without its children, in seconds (Linux). */
export function cpuSecondsOf(pid: number): number {
  // The name in brackets may hold spaces, so fields are counted behind it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
