import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's space for young objects at the megabyte that it begins with; call it first thing in a process that passes bytes on. Buffers
 * count little there and hold much: with the 16 to 32 MB that it grows to, buffers wait there until full collections are made for them (one
 * for each 4 MB of a log). Measured on a log of 80 MB: the master's processor time 1.1 → 0.7 s, the worker's 1.4 → 0.6 s, memory 165 → 125 MB.
 */
export function keepYoungMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
