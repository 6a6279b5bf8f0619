import type { Finding, Fix } from '../api/doctor.ts';
import type { Draft } from './check.ts';
import type { Proposal } from './fixes.ts';
import type { Outcome } from './run.ts';
import { isStock } from './stock-subject.ts';
import type { ChatSubject, MailSubject, SourceSubject, StatusSubject } from './far-subjects.ts';
import { nameOf, type Subject, type TargetSubject } from './subject.ts';

const RANK = { error: 0, warn: 1, unknown: 2, info: 3 } as const;

/** What remains when effects stand under their causes. */
export interface Folded {
  readonly findings: Finding[];
  /** What `--fix` could do about them. */
  readonly proposals: Proposal[];
  /** Outcomes that are effects, with the id of the root that explains them. */
  readonly explainedBy: ReadonlyMap<Outcome, string>;
  /** Statuses of roots whose effects are graver than they are by themselves. */
  readonly raised: ReadonlyMap<Outcome, Finding['status']>;
}

/** Whether trouble with one thing can be the reason for trouble with the other. */
function related(a: Subject, b: Subject): boolean {
  if (a === b || a.kind === 'host' || b.kind === 'host') return true;
  if (a.kind === 'setting' || b.kind === 'setting') return false;
  if (a.kind === 'program' || b.kind === 'program') return false;
  if (isStock(a) || isStock(b)) return sourceOf(a) === sourceOf(b);
  if (isPlace(a) && isPlace(b)) return a.host === b.host;
  return a.port === b.port;
}

/** What a check of the host says of certain targets alone is no reason for trouble with others. */
function speaksOf(cause: Outcome, subject: Subject): boolean {
  if (cause.subject.kind !== 'host' || subject.kind === 'host') return true;
  return cause.drafts.some((draft) => isTroubleDraft(draft) && isAbout(draft, subject));
}

function isAbout({ target }: Draft, subject: Subject): boolean {
  return target === undefined || target === nameOf(subject);
}

/** Somewhere to connect to, by a name. */
function isPlace(
  subject: Subject,
): subject is TargetSubject | SourceSubject | MailSubject | StatusSubject | ChatSubject {
  return ['target', 'source', 'mail', 'status', 'chat'].includes(subject.kind);
}

/** The file of stock Buildbot that a subject came from. */
function sourceOf(subject: Subject): string | undefined {
  if (isStock(subject)) return subject.shown;
  return subject.kind === 'listener' || subject.kind === 'target' ? subject.source : undefined;
}

/**
 * One fault, one finding: a check in trouble whose declared causes are in trouble too says nothing of its own and is named under
 * `explains` of the root. Gravest first; of equals, those that explain more.
 */
export function fold(outcomes: readonly Outcome[], vantage: Finding['vantage']): Folded {
  const troubled = outcomes.filter((outcome) => isTrouble(outcome));
  const causeOf = new Map<Outcome, Outcome>();
  for (const outcome of troubled) {
    for (const id of outcome.check.causes ?? []) {
      const cause = troubled.find(
        (other) =>
          other.check.id === id &&
          other !== outcome &&
          related(other.subject, outcome.subject) &&
          speaksOf(other, outcome.subject),
      );
      // Two that name each other: the one met first is the effect.
      if (cause === undefined || rootOf(cause, causeOf) === outcome) continue;
      causeOf.set(outcome, cause);
      break;
    }
  }
  const effects = new Map<string, Outcome[]>();
  const explainedBy = new Map<Outcome, string>();
  const raised = new Map<Outcome, Finding['status']>();
  for (const outcome of troubled) {
    const root = rootOf(outcome, causeOf);
    if (root === outcome) continue;
    explainedBy.set(outcome, root.check.id);
    effects.set(keyOf(root), [...(effects.get(keyOf(root)) ?? []), outcome]);
    // What stands for an error is one, however mild it looks alone.
    if (outcome.status === 'error' && root.status !== 'error') raised.set(root, 'error');
  }
  for (const outcome of outcomes) {
    if (outcome.barredBy === undefined) continue;
    const barrier = troubled.find(
      (other) => other.check.id === outcome.barredBy && related(other.subject, outcome.subject),
    );
    if (barrier === undefined) continue;
    // It was never asked, so it is no effect that could be told of; it only names the root it waits for.
    explainedBy.set(outcome, rootOf(barrier, causeOf).check.id);
  }
  const proposals: Proposal[] = [];
  const findings = outcomes
    .filter((outcome) => !explainedBy.has(outcome))
    .flatMap((outcome) => {
      const all = effects.get(keyOf(outcome)) ?? [];
      return outcome.drafts.map((draft) => {
        const own = effectsOf(draft, outcome, all);
        const ids = new Set(own.map(({ check }) => check.id).filter((id) => id !== outcome.check.id));
        return findingOf(
          outcome,
          draft,
          vantage,
          [...ids],
          own.length > 0 ? raised.get(outcome) : undefined,
          proposals,
        );
      });
    });
  return {
    findings: findings.sort(
      (a, b) => RANK[a.status] - RANK[b.status] || b.explains.length - a.explains.length,
    ),
    proposals,
    explainedBy,
    raised,
  };
}

/** Of several troubles in one outcome, each has the effects on what it is about; where none says so, each has all. */
function effectsOf(draft: Draft, outcome: Outcome, effects: readonly Outcome[]): readonly Outcome[] {
  if (!isTroubleDraft(draft)) return [];
  const troubles = outcome.drafts.filter(isTroubleDraft);
  const isKnown = effects.some(({ subject }) => troubles.some((other) => isAbout(other, subject)));
  return isKnown ? effects.filter(({ subject }) => isAbout(draft, subject)) : effects;
}

function isTrouble(outcome: Outcome): boolean {
  return outcome.drafts.some(isTroubleDraft);
}

function isTroubleDraft(draft: Draft): boolean {
  return draft.status === 'error' || draft.status === 'warn';
}

function keyOf(outcome: Outcome): string {
  return `${outcome.check.id} ${nameOf(outcome.subject)}`;
}

function rootOf(outcome: Outcome, causeOf: ReadonlyMap<Outcome, Outcome>): Outcome {
  let root = outcome;
  const seen = new Set([root]);
  for (let next = causeOf.get(root); next !== undefined && !seen.has(next); next = causeOf.get(root)) {
    seen.add(next);
    root = next;
  }
  return root;
}

function findingOf(
  outcome: Outcome,
  draft: Draft,
  vantage: Finding['vantage'],
  explains: readonly string[],
  raised: Finding['status'] | undefined,
  proposals: Proposal[],
): Finding {
  const fix: Fix[] = [];
  const finding: Finding = {
    id: outcome.check.id,
    status: raised ?? draft.status,
    target: draft.target ?? nameOf(outcome.subject),
    vantage: outcome.subject.kind === 'target' ? (outcome.subject.vantage ?? vantage) : vantage,
    title: draft.title,
    confidence: draft.confidence ?? 'proven',
    evidence: [...draft.evidence],
    cause: [],
    explains: explains.toSorted(),
    fix,
  };
  for (const { change, ...rest } of draft.fix ?? []) {
    const one: Fix = change === undefined ? rest : { ...rest, auto: 'safe', file: change.shown };
    fix.push(one);
    if (change !== undefined) proposals.push({ finding, fix: one, change });
  }
  return finding;
}
