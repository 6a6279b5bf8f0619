import type { LabCase } from './case.ts';
import { NAMES } from './names.ts';

/** Every case of the lab. */
export const CASES: readonly LabCase[] = [...NAMES];
