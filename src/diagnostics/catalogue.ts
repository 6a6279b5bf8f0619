import type { Check, Topic } from './check.ts';
import { hostChecks } from './checks/host.ts';
import { listenerChecks } from './checks/listeners.ts';
import { nameChecks } from './checks/names.ts';
import { pathChecks } from './checks/paths.ts';
import { peerChecks } from './checks/peers.ts';
import { settingChecks } from './checks/settings.ts';

/** Every check, in the order of the report; ids are never used again (docs/doctor.md). */
export const catalogue: readonly Check[] = [
  ...settingChecks,
  ...hostChecks,
  ...listenerChecks,
  ...nameChecks,
  ...pathChecks,
  ...peerChecks,
] as readonly unknown[] as readonly Check[];

export interface Selection {
  readonly topic: Topic | undefined;
  /** Ids (`DNS-03`) or groups (`DNS`); empty: all. */
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

/** The checks that a call asks for. */
export function selectChecks(selection: Selection): Check[] {
  const { topic, only, skip } = selection;
  return catalogue.filter(
    (check) =>
      (topic === undefined || check.topics.includes(topic)) &&
      (only.length === 0 || only.some((word) => names(word, check.id))) &&
      !skip.some((word) => names(word, check.id)),
  );
}

/** Words that name no check of the catalogue. */
export function strangers(words: readonly string[]): string[] {
  return words.filter((word) => !catalogue.some((check) => names(word, check.id)));
}

function names(word: string, id: string): boolean {
  const upper = word.toUpperCase();
  return id === upper || id.startsWith(`${upper}-`);
}
