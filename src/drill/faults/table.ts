import type { Fault } from '../fault.ts';
import { CLOCK_FAULTS } from './clock.ts';
import { DISK_FAULTS } from './disk.ts';
import { LINK_FAULTS } from './link.ts';
import { MASTER_FAULTS } from './master.ts';
import { POSTGRES_FAULTS } from './postgres.ts';
import { POWER_FAULTS } from './power.ts';
import { TWIN_FAULTS } from './twin.ts';
import { WORKER_FAULTS } from './worker.ts';

/** Every fault that can be rehearsed, in the order of docs/drill.md. */
export const FAULTS: readonly Fault[] = [
  ...MASTER_FAULTS,
  ...WORKER_FAULTS,
  ...TWIN_FAULTS,
  ...LINK_FAULTS,
  ...DISK_FAULTS,
  ...POSTGRES_FAULTS,
  ...CLOCK_FAULTS,
  ...POWER_FAULTS,
];
