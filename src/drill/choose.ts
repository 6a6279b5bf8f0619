import { didYouMean } from '../base/did-you-mean.ts';
import { findPostgres } from '../exec/postgres-server.ts';
import { codes } from './codes.ts';
import type { Fault, Need } from './fault.ts';
import { FAULTS } from './faults/table.ts';
import { openNamespace } from './namespace.ts';
import { whyNoRecord } from './power/strace.ts';

type StoreKind = 'sqlite' | 'postgres';

export interface Chosen {
  faults: Fault[];
  /** Asked for, and not possible here. */
  skipped: { name: string; because: string }[];
}

/**
 * The faults of `--faults` (names, or the beginnings of several, with commas), or all; those of a `soak` strike a farm that keeps a long history. Without those that this machine, user or store cannot make. Throws
 * BBX-DRI-FAULT, BBX-DRI-SKIPPED with `strict`, BBX-DRI-NOTHING.
 */
export async function readFaults(
  text: string | undefined,
  { strict, store, soak = false }: { strict: boolean; store: StoreKind; soak?: boolean },
): Promise<Chosen> {
  if (store === 'postgres' && findPostgres() === undefined) throw codes['BBX-DRI-NO-POSTGRES']({});
  // Those of another store are not missing unless somebody names them.
  const wanted =
    text === undefined ? FAULTS.filter((fault) => otherStore(fault, store) === undefined) : named(text);
  const wants = (need: Need) => wanted.some(({ needs }) => needs === need);
  const noDisks = wants('disks') || wants('masterDisks') ? await whyNoDisks() : undefined;
  const lacking = {
    disks: noDisks,
    masterDisks: noDisks ?? (soak ? FILLED_BY_SOAK : undefined),
    strace: wants('strace') ? await whyNoRecord() : undefined,
  };
  const chosen = chooseFaults(wanted, store, lacking);
  const reasons = byReason(chosen.skipped).map(({ names, because }) => `${names.join(', ')}: ${because}`);
  if (chosen.faults.length === 0) throw codes['BBX-DRI-NOTHING']({ reasons });
  if (strict && reasons.length > 0) throw codes['BBX-DRI-SKIPPED']({ reasons });
  return chosen;
}

/** Why something that faults need cannot be had here. */
export type Lacking = { [need in Need]?: string | undefined };

/** What of the wanted faults can be made on such a farm. */
export function chooseFaults(wanted: readonly Fault[], store: StoreKind, lacking: Lacking): Chosen {
  const chosen: Chosen = { faults: [], skipped: [] };
  for (const fault of wanted) {
    const because =
      otherStore(fault, store) ?? (fault.needs === undefined ? undefined : lacking[fault.needs]);
    if (because === undefined) chosen.faults.push(fault);
    else chosen.skipped.push({ name: fault.name, because });
  }
  return chosen;
}

/** Each reason once, with the faults that it is for. */
export function byReason(skipped: Chosen['skipped']): { names: string[]; because: string }[] {
  const groups = new Map<string, string[]>();
  for (const { name, because } of skipped) groups.set(because, [...(groups.get(because) ?? []), name]);
  return [...groups].map(([because, names]) => ({ names, because }));
}

/** Why there is nothing to make it on in a farm with this store. */
function otherStore({ needs, only }: Fault, store: StoreKind): string | undefined {
  if (needs === 'postgres' && store !== 'postgres')
    return "the farm's store is no PostgreSQL (it is with --store postgres)";
  if (only !== undefined && only !== store) return `the farm's store is no file (it is with --store ${only})`;
  return undefined;
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

const FILLED_BY_SOAK = 'the master of a soak has no small disks, which its history would fill';

async function whyNoDisks(): Promise<string | undefined> {
  const namespace = await openNamespace();
  if ('because' in namespace) return `small disks cannot be made here (${namespace.because})`;
  await namespace[Symbol.asyncDispose]();
  return undefined;
}
