import type { LinkRecord } from '../../../src/protocol/bbx/link-facts.ts';
import { RECORDS_PER_MESSAGE } from '../../../src/protocol/bbx/link-facts.ts';
import type { LinkHistory } from '../../../src/runtime/worker/link-history.ts';
import type { Random } from './mutate.ts';
import { recordOf } from './worker-vocabulary.ts';

const RECORDS = 250;

/** A worker's history of its link without a file, with more in it than a message takes. */
export function memoryHistory(random: Random): LinkHistory {
  let told = 0;
  return {
    onUntold: undefined,
    add: () => undefined,
    failed: () => undefined,
    untold(): LinkRecord[] {
      const length = Math.min(RECORDS_PER_MESSAGE, Math.max(0, RECORDS - told));
      return Array.from({ length }, (_, index) => recordOf(random, told + index + 1));
    },
    told: (number) => void (told = Math.max(told, number)),
    close: () => Promise.resolve(),
  };
}
