import type { LinkEventObject } from '../../../api/objects.ts';
import { CLOSE } from '../../../protocol/bbx/wire.ts';
import type { Gap } from './link-gaps.ts';

export interface Cause {
  cause: LinkEventObject['cause'];
  words: string;
}

/**
 * Why a link was lost, the root first: what explains the rest stands before it. A machine that slept also was silent and may have another
 * address; so the later lines of a worker's or a network's story are only told when nothing above them is the reason.
 */
export function causesOf(gap: Gap): Cause[] {
  const causes = [...machine(gap), ...programs(gap), ...address(gap)];
  return causes.length > 0 ? causes : [connection(gap)];
}

/** The worker's machine slept, or its process was held up. */
function machine({ facts }: Gap): Cause[] {
  const slept = sum(facts, 'slept');
  const stalled = sum(facts, 'stalled');
  return [
    ...(slept > 0
      ? [{ cause: 'slept' as const, words: `the worker's machine slept for ${slept.toFixed(1)} s` }]
      : []),
    ...(stalled > 0
      ? [{ cause: 'stalled' as const, words: `the worker's process did not run for ${stalled.toFixed(1)} s` }]
      : []),
  ];
}

function sum(facts: Gap['facts'], kind: string): number {
  return facts.reduce((all, { fact }) => all + (fact.kind === kind ? Number(fact['seconds']) : 0), 0);
}

/** The worker ended the session in good order: known at once, while its own record of the time only comes after its return. */
export function saidGoodbye({ closed_by, code }: Gap['before']): boolean {
  return closed_by === 'worker' && code === CLOSE.normal;
}

/** One of the two programs was started anew, or another one took the name. */
function programs({ before, after, facts }: Gap): Cause[] {
  const causes: Cause[] = [];
  if (after !== undefined && after.boot !== before.boot) {
    const stopped =
      saidGoodbye(before) || facts.some(({ boot, fact }) => boot === before.boot && fact.kind === 'ended');
    const began = facts.find(({ boot, fact }) => boot === after.boot && fact.kind === 'began');
    const adopted = Number(began?.fact['adopted'] ?? 0);
    causes.push(
      before.code === CLOSE.replaced
        ? { cause: 'replaced', words: `another process took its name, from ${after.peer}` }
        : {
            cause: 'worker-restarted',
            words: stopped
              ? "the worker's process was stopped and started again"
              : `the worker's process died and was started again${adopted === 0 ? '' : `; its steps went on meanwhile (${adopted} ${adopted === 1 ? 'build' : 'builds'})`}`,
          },
    );
  }
  if (before.code === CLOSE.stopping)
    causes.push({ cause: 'master-restarted', words: 'the master was stopped and started again' });
  else if (before.code === null)
    causes.push({ cause: 'master-restarted', words: 'the master died and was started again' });
  return causes;
}

/** The worker has another address than before, here or in its own eyes. */
function address({ before, after, upBefore, up }: Gap): Cause[] {
  if (after === undefined) return [];
  const seen = [hostOf(before.peer), hostOf(after.peer)] as const;
  const own = [hostOf(upBefore?.fact['local']), hostOf(up?.fact['local'])] as const;
  const [from, to] = seen[0] === seen[1] ? own : seen;
  if (from === '' || to === '' || from === to) return [];
  return [{ cause: 'address-changed', words: `worker's address changed from ${from} to ${to}` }];
}

/** An address without its port. */
function hostOf(address: unknown): string {
  return typeof address === 'string' ? address.replace(/:\d+$/, '') : '';
}

/** Nothing but the connection is to blame: who noticed, and how. */
function connection({ before, down, after }: Gap): Cause {
  const workerCode = down?.fact['code'];
  if (before.code === CLOSE.silent || workerCode === CLOSE.silent) {
    const who =
      before.code === CLOSE.silent && workerCode === CLOSE.silent
        ? 'neither side heard anything'
        : before.code === CLOSE.silent
          ? 'the master heard nothing'
          : 'the worker heard nothing';
    const ms = before.code === CLOSE.silent ? before.silent_ms : Number(down?.fact['silentMs']);
    return { cause: 'silent', words: `${who} for ${((ms ?? 0) / 1000).toFixed(0)} s` };
  }
  // A new session of the same process replaces the old one before the master has noticed its end: then the worker knows more.
  const replaced = after !== undefined && before.closed_by === 'master' && before.code === CLOSE.normal;
  const by = replaced ? (down?.fact['by'] ?? 'nobody') : before.closed_by;
  const reason = replaced ? down?.fact['reason'] : before.reason || down?.fact['reason'];
  const said = typeof reason === 'string' && reason !== '' ? ` (${reason})` : '';
  if (by === 'master') return { cause: 'closed-by-master', words: `the master ended the session${said}` };
  if (by === 'worker') return { cause: 'closed-by-worker', words: `the worker ended the session${said}` };
  return { cause: 'cut', words: `the connection was cut${said}` };
}
