import { matchesPattern } from '../../../base/pattern.ts';

/** What the rows say about a claim: read in one transaction, so that the decision and its writing are one. */
export interface EnrolFacts {
  /** The row of the claimed name. */
  byName: { state: 'invited' | 'pending' | 'approved' | 'removed'; publicKey: string | null } | undefined;
  /** Name of the worker that has this key already. */
  nameOfKey: string | undefined;
  /** The invitation that the claimed secret opens; undefined: none came, or none is known. */
  join:
    | {
        joinid: number;
        names: string;
        uses: number;
        used: number;
        expiresAt: number;
        /** Key with which this very name used it before. */
        usedWithKey: string | undefined;
      }
    | undefined;
  secretGiven: boolean;
}

export type EnrolDecision =
  /** Known and approved. */
  | { act: 'in' }
  /** The secret is good: key and name belong together from now on. */
  | { act: 'enrol'; joinid: number; countUse: boolean }
  /** Listed (or listed again) until somebody approves. */
  | { act: 'pend' }
  | { act: 'out'; reason: 'unknown' | 'pending' | 'expired' | 'removed' };

/**
 * Whether a worker that proved to hold a key is let in. The same answer for a name nobody knows (with a wrong secret), a name of another
 * key, and a key of another name: whoever asks learns nothing. A secret that was used by this name and key before stays good until it
 * expires, so that an answer lost on the way locks nobody out.
 */
export function decideEnrolment(
  claim: { name: string; publicKey: string },
  facts: EnrolFacts,
  now: number,
): EnrolDecision {
  const { byName, join, nameOfKey } = facts;
  if (nameOfKey !== undefined && nameOfKey !== claim.name) return { act: 'out', reason: 'unknown' };
  const sameKey = byName?.publicKey === claim.publicKey;
  if (byName?.state === 'approved' && sameKey) return { act: 'in' };
  if (byName?.state === 'removed')
    return sameKey ? { act: 'out', reason: 'removed' } : { act: 'out', reason: 'unknown' };
  if (join !== undefined) {
    if (!matchesPattern(join.names, claim.name)) return { act: 'out', reason: 'unknown' };
    // An approved name takes another key only with an invitation made for it alone (`worker add NAME --renew`): whoever may use a
    // pattern must not be able to take the place of another.
    if (byName?.state === 'approved' && join.names !== claim.name) return { act: 'out', reason: 'unknown' };
    if (join.expiresAt <= now) return { act: 'out', reason: 'expired' };
    if (join.usedWithKey === claim.publicKey) return { act: 'enrol', joinid: join.joinid, countUse: false };
    if (join.usedWithKey !== undefined) return { act: 'out', reason: 'unknown' };
    if (join.used >= join.uses) return { act: 'out', reason: 'expired' };
    return { act: 'enrol', joinid: join.joinid, countUse: true };
  }
  if (facts.secretGiven) return { act: 'out', reason: 'unknown' };
  if (byName === undefined || byName.publicKey === null) return { act: 'pend' };
  if (byName.state === 'pending' && sameKey) return { act: 'pend' };
  return { act: 'out', reason: 'unknown' };
}
