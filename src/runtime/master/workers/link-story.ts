import type { LinkEventObject } from '../../../api/objects.ts';
import { CLOSE } from '../../../protocol/bbx/wire.ts';
import type { LinkFactRow, LinkSessionRow } from '../../../store/links.ts';
import { causesOf, saidGoodbye } from './link-causes.ts';

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
    const lostAt = Math.min(
      endOf(before.closed_at, before.code, before.silent_ms),
      down === undefined ? Infinity : endOf(down.at, down.fact['code'], down.fact['silentMs']),
      backAt ?? Infinity,
    );
    const until = backAt ?? Infinity;
    gaps.push({
      ...{ before, after, lostAt, backAt, down },
      up: told('up', after?.session),
      upBefore: told('up', before.session),
      facts: facts.filter(({ at }) => at >= lostAt - AROUND_S && at <= until + AROUND_S),
    });
  }
  return gaps;
}

/** When a side lost the link: at the last byte, where it noticed by silence; else when it noticed. */
function endOf(at: number, code: unknown, silentMs: unknown): number {
  return code === CLOSE.silent && typeof silentMs === 'number' ? at - silentMs / 1000 : at;
}

/** A gap as the API tells it. */
export function tellGap(gap: Gap): LinkEventObject {
  const { before, after, lostAt, backAt } = gap;
  const causes = causesOf(gap);
  const tries = gap.facts.reduce(
    (sum, { fact }) => sum + (fact.kind === 'failed' ? Number(fact['times']) : 0),
    0,
  );
  const failed = gap.facts.findLast(({ fact }) => fact.kind === 'failed')?.fact['code'];
  const words = causes.map(({ words: each }) => each);
  if (tries > 0)
    words.push(`${tries} ${tries === 1 ? 'try' : 'tries'} to come back failed (${String(failed)})`);
  return {
    lost_at: lostAt,
    back_at: backAt,
    seconds: backAt === null ? null : Math.max(0, backAt - lostAt),
    cause: causes[0]!.cause,
    words: words.join(', '),
    from: before.peer,
    to: after?.peer ?? null,
    closed_by: closedBy(before.closed_by),
    code: before.code,
    tries,
    master: seen(before.closed_by, 'master', before.code, before.reason, before.silent_ms),
    worker:
      gap.down === undefined
        ? after !== undefined && after.boot !== before.boot && !saidGoodbye(before)
          ? 'its process was gone before it could write anything down'
          : null
        : seen(
            String(gap.down.fact['by']),
            'worker',
            Number(gap.down.fact['code']),
            String(gap.down.fact['reason']),
            Number(gap.down.fact['silentMs']),
          ),
    clock_ahead: before.ahead,
  };
}

function closedBy(by: string | null): LinkEventObject['closed_by'] {
  return by === 'master' || by === 'worker' || by === 'nobody' ? by : null;
}

/** What one side saw of a session's end. */
function seen(
  by: string | null,
  side: 'master' | 'worker',
  code: number | null,
  reason: string | null,
  silentMs: number | null,
): string {
  const silence =
    silentMs !== null && silentMs >= 1_000 ? `, ${(silentMs / 1000).toFixed(1)} s after the last byte` : '';
  const said = [code === null || code === 1006 ? '' : String(code), reason ?? '']
    .filter((part) => part !== '')
    .join(' ');
  const words = said === '' ? '' : ` (${said})`;
  if (by === side) return `it ended the session${words}${silence}`;
  if (by === 'nobody') return `the connection was gone${words}${silence}`;
  return `the ${by} ended the session${words}${silence}`;
}

/** The gaps that touch a span of time, as the API tells them. `to` null: it goes on. */
export function linkEvents(
  sessions: readonly LinkSessionRow[],
  facts: readonly LinkFactRow[],
  span: { from: number; to: number | null },
): LinkEventObject[] {
  return gapsOf(sessions, facts)
    .filter(
      ({ lostAt, backAt }) =>
        (span.to === null || lostAt <= span.to) && (backAt === null || backAt >= span.from),
    )
    .map(tellGap);
}
