import type { LabCase } from './case.ts';
import { CONTROLS } from './controls.ts';
import { HOSTS } from './hosts.ts';
import { NAMES } from './names.ts';
import { PATHS } from './paths.ts';
import { PEERS } from './peers.ts';

/** Every case of the lab. */
export const CASES: readonly LabCase[] = [...HOSTS, ...NAMES, ...PATHS, ...PEERS, ...CONTROLS];
