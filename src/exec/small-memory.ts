import { setFlagsFromString } from 'node:v8';

/**
 * Suits V8 to a process that lives long and passes bytes on; call it before the process loads its parts. The space for young objects stays at
 * the megabyte that it begins with: at the 16 MB that it grows to, buffers (small objects that hold much) wait there by the thousand. And
 * their bytes count for when to collect: otherwise 64 MB of garbage may gather first.
 *
 * Measured once, on logs of 80 and 200 MB, together with other changes: the master's processor time 1.1 → 0.5 s for 80 MB, the worker's 1.4 → 0.4 s; the
 * most memory that the master held 180 → 121 MB. On a busy machine it holds 130 to 170 MB with these flags.
 */
export function keepMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
