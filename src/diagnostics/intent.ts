/** An IP family, as people say it. */
export type Family = 4 | 6;

/**
 * Which families are meant to work. One that is insisted on is a fault when it does not; one that is merely possible
 * (`network.families: auto`) is trouble only where something in the plan cannot do without it.
 */
export interface Intent {
  readonly families: readonly Family[];
  readonly insists: readonly Family[];
  /** Who said so, for the report: `network.families of master.yaml`, `"doctor ipv6"`, `auto`. */
  readonly source: string;
}

/** Both families may be used, neither must work. */
export const AUTO: Intent = { families: [4, 6], insists: [], source: 'auto' };

/** True where the lack of this family is a fault in itself. */
export function insistsOn(intent: Intent, family: Family): boolean {
  return intent.insists.includes(family);
}

/** True where this family is not meant at all, so that its faults are nobody's trouble. */
export function leavesOut(intent: Intent, family: Family): boolean {
  return !intent.families.includes(family);
}
