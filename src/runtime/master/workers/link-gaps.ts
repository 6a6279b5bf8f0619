import { CLOSE } from '../../../protocol/bbx/wire.ts';
import type { LinkFactRow, LinkSessionRow } from '../../../store/links.ts';

/** What a side wrote down around a gap is looked for this long before and after it, seconds: clocks are compared to within that. */
const AROUND_S = 5;

/** A time without a link, between two sessions of one worker, with everything that either side wrote down about it. */
export interface Gap {
  before: LinkSessionRow;
  /** The session that came after; undefined: none yet. */
  after: LinkSessionRow | undefined;
  /** By the master's clock. */
  lostAt: number;
  backAt: number | null;
  /** The worker's own word for the end and the beginning, where it has told. */
  down: LinkFactRow | undefined;
  up: LinkFactRow | undefined;
  /** The beginning of the session that was lost, by the worker's word. */
  upBefore: LinkFactRow | undefined;
  /** The worker's other records of the time, oldest first. */
  facts: readonly LinkFactRow[];
}

/** The gaps between sessions (oldest first) with the worker's records of the same time. */
export function gapsOf(sessions: readonly LinkSessionRow[], facts: readonly LinkFactRow[]): Gap[] {
  const told = (kind: string, session: string | undefined) =>
    session === undefined
      ? undefined
      : facts.find(({ fact }) => fact.kind === kind && fact['session'] === session);
  const gaps: Gap[] = [];
  for (const [index, before] of sessions.entries()) {
    if (before.closed_at === null) continue;
    const after = sessions[index + 1];
    const down = told('down', before.session);
    const backAt = after?.opened_at ?? null;
    const noticed = down === undefined ? undefined : endOf(down.at, down.fact['code'], down.fact['silentMs']);
    const lostAt = Math.min(
      // A killed master's last word on a session is up to a minute older than its end.
      before.code === null && noticed !== undefined
        ? noticed
        : endOf(before.closed_at, before.code, before.silent_ms),
      noticed ?? Infinity,
      backAt ?? Infinity,
    );
    const until = backAt ?? Infinity;
    const up = told('up', after?.session);
    const upBefore = told('up', before.session);
    /**
     * Records are numbered in their order, which knows better than times what came between. A worker that died wrote no end down: what it wrote before the
     * session is of the gap before. One with a full disk then numbers anew from what it could write.
     */
    const isBetween = ({ number, boot, at }: LinkFactRow) =>
      number < (up?.number ?? Infinity) &&
      (down === undefined && boot !== upBefore?.boot
        ? at >= (upBefore?.at ?? -Infinity)
        : number > ((down ?? upBefore)?.number ?? 0));
    gaps.push({
      ...{ before, after, lostAt, backAt, down, up, upBefore },
      facts: facts.filter(
        (one) =>
          one.at >= lostAt - AROUND_S &&
          one.at <= until + AROUND_S &&
          (one.fact.kind !== 'failed' || isBetween(one)),
      ),
    });
  }
  return gaps;
}

/** When a side lost the link: at the last byte, where it noticed by silence; else when it noticed. */
function endOf(at: number, code: unknown, silentMs: unknown): number {
  return code === CLOSE.silent && typeof silentMs === 'number' ? at - silentMs / 1000 : at;
}
