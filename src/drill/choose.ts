import { didYouMean } from '../base/did-you-mean.ts';
import { findPostgres } from '../exec/postgres-server.ts';
import { codes } from './codes.ts';
import type { Fault, Need } from './fault.ts';
import { FAULTS } from './faults/table.ts';
import { openNamespace } from './namespace.ts';

export interface Chosen {
  faults: Fault[];
  /** Asked for, and not possible here. */
  skipped: { name: string; because: string }[];
}

/**
 * The faults of `--faults` (names, or the beginnings of several, with commas), or all; without those that this machine or user cannot make. Throws
 * BBX-DRI-FAULT, BBX-DRI-SKIPPED with `strict`, BBX-DRI-NOTHING.
 */
export async function readFaults(
  text: string | undefined,
  { strict, store }: { strict: boolean; store: 'sqlite' | 'postgres' },
): Promise<Chosen> {
  if (store === 'postgres' && findPostgres() === undefined) throw codes['BBX-DRI-NO-POSTGRES']({});
  // Those of another store are not missing unless somebody names them.
  const own = FAULTS.filter(
    ({ needs, only = store }) => (needs !== 'postgres' || store === 'postgres') && only === store,
  );
  const wanted = text === undefined ? own : named(text);
  const missing = await whatIsMissing(new Set(wanted.flatMap(({ needs }) => needs ?? [])), store);
  const chosen: Chosen = { faults: [], skipped: [] };
  for (const fault of wanted) {
    const because = fault.needs === undefined ? undefined : missing.get(fault.needs);
    if (because === undefined) chosen.faults.push(fault);
    else chosen.skipped.push({ name: fault.name, because });
  }
  const reasons = [...new Set(chosen.skipped.map(({ name, because }) => `${name}: ${because}`))];
  if (chosen.faults.length === 0) throw codes['BBX-DRI-NOTHING']({ reasons });
  if (strict && reasons.length > 0) throw codes['BBX-DRI-SKIPPED']({ reasons });
  return chosen;
}

function named(text: string): Fault[] {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const found = words.flatMap((word) => {
    const own = FAULTS.filter(({ name }) => name === word || name.startsWith(`${word}-`));
    if (own.length > 0) return own;
    const names = FAULTS.map(({ name }) => name);
    throw codes['BBX-DRI-FAULT']({ name: word, near: didYouMean(word, names) });
  });
  return [...new Set(found)];
}

async function whatIsMissing(needs: ReadonlySet<Need>, store: string): Promise<Map<Need, string>> {
  const missing = new Map<Need, string>();
  if (needs.has('disks')) {
    const namespace = await openNamespace();
    if ('within' in namespace) await namespace[Symbol.asyncDispose]();
    else missing.set('disks', `small disks cannot be made here (${namespace.because})`);
  }
  if (needs.has('postgres') && store !== 'postgres') missing.set('postgres', 'it wants --store postgres');
  return missing;
}
