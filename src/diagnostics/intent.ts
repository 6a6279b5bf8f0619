/** An IP family, as people say it. */
export type Family = 4 | 6;

/**
 * Which families are meant to work. `declared` is false where nobody said so (`network.families: auto`): then a missing family is a
 * fact worth knowing, and trouble only where something in the plan cannot do without it.
 */
export interface Intent {
  readonly families: readonly Family[];
  readonly declared: boolean;
  /** Who said so, for the report: `master.yaml network.families`, `doctor ipv6`, `auto`. */
  readonly source: string;
}

export const AUTO: Intent = { families: [4, 6], declared: false, source: 'auto' };

/** True where the lack of this family is a fault in itself. */
export function insistsOn(intent: Intent, family: Family): boolean {
  return intent.declared && intent.families.includes(family);
}

/** True where this family is not meant at all, so that its faults are nobody's trouble. */
export function leavesOut(intent: Intent, family: Family): boolean {
  return !intent.families.includes(family);
}
