import type { LabCase } from './case.ts';
import { CHECKS_FAR } from './checks-far.ts';
import { CHECKS_NEAR } from './checks-near.ts';
import { CHECKS_SOURCES } from './checks-sources.ts';
import { CHECKS_NETWORK } from './checks-network.ts';
import { CHECKS_RARE } from './checks-rare.ts';
import { CHECKS } from './checks.ts';
import { CONTROLS } from './controls.ts';
import { HOSTS } from './hosts.ts';
import { NAMES } from './names.ts';
import { OWN_HOSTS } from './own.ts';
import { OWN_PEERS } from './own-peers.ts';
import { PAIRS } from './pairs.ts';
import { PATHS } from './paths.ts';
import { PEERS } from './peers.ts';
import { SERVICES } from './services.ts';
import { STOCK } from './stock.ts';

/** Every case of the lab. */
export const CASES: readonly LabCase[] = [
  ...HOSTS,
  ...NAMES,
  ...PATHS,
  ...PEERS,
  ...STOCK,
  ...OWN_HOSTS,
  ...OWN_PEERS,
  ...PAIRS,
  ...CHECKS,
  ...CHECKS_FAR,
  ...CHECKS_RARE,
  ...SERVICES,
  ...CHECKS_NETWORK,
  ...CHECKS_NEAR,
  ...CHECKS_SOURCES,
  ...CONTROLS,
];
