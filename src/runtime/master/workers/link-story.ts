import type { LinkEventObject } from '../../../api/objects.ts';
import type { LinkFactRow, LinkSessionRow } from '../../../store/links.ts';
import { causesOf, saidGoodbye } from './link-causes.ts';
import { gapsOf, type Gap } from './link-gaps.ts';

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
  if (side === 'master' && by === side && code === null) return 'it was killed';
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
