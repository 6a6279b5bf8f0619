import type { WrittenMaster } from './config/schema/master.ts';

export type { WrittenMaster } from './config/schema/master.ts';

/** For `master.config.ts`: gives the configuration back as it is, and its types to the editor. */
export function defineMaster(config: WrittenMaster): WrittenMaster {
  return config;
}
