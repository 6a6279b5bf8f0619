import type { Evidence, Finding } from '../api/doctor.ts';
import type { DraftFix } from './fixes.ts';
import type { Intent } from './intent.ts';
import type { Probes } from './probes.ts';
import type { Subject, SubjectKind } from './subject.ts';

/** The words after `bbx doctor`. */
export const TOPICS = [
  'ipv6',
  'dns',
  'listen',
  'reach',
  'tls',
  'path',
  'proxy',
  'config',
  'source',
  'mail',
  'clock',
  'host',
] as const;
export type Topic = (typeof TOPICS)[number];

/** Topics about places to connect to: names, routes and connections matter to all of them. */
export const TARGET_TOPICS = [
  'reach',
  'tls',
  'path',
  'proxy',
  'source',
  'mail',
] as const satisfies readonly Topic[];

/** What a rule says of the facts, before the runner adds where it was seen from and what explains it. */
export interface Draft {
  status: Finding['status'];
  title: string;
  /** Where it is not the subject as a whole. */
  target?: string;
  confidence?: Finding['confidence'];
  evidence: readonly Evidence[];
  fix?: readonly DraftFix[];
}

/** A check's answer about one subject: no drafts and no `skip` is `ok`. */
export interface Judgement {
  drafts: readonly Draft[];
  /** The question does not arise here; why. */
  skip?: string;
}

export interface CheckContext {
  readonly intent: Intent;
  readonly probes: Probes;
  /** Every subject of this run, for questions about two of them. */
  readonly subjects: readonly Subject[];
  readonly topic: Topic | undefined;
}

/**
 * One question, asked of every subject of its kind. Facts come first (`gather`, through the probes, which ask each thing once however
 * many checks want it), the verdict after (`judge`, a pure function of plain data).
 */
export interface Check<Kind extends SubjectKind = SubjectKind> {
  readonly id: string;
  /** The question in a few words, as `--list` prints it. */
  readonly title: string;
  readonly about: Kind;
  readonly topics: readonly Topic[];
  /** Checks without whose success this one would only repeat their trouble: those of the same subject, and of the host. */
  readonly needs: readonly string[];
  /** Checks whose finding explains this one's, when both speak of the same thing, nearest cause first. */
  readonly causes?: readonly string[];
  /** Also asked of targets behind hops, whose name and addresses are not for this host to look at. */
  readonly behindHops?: true;
  /** The rung R0 to R4 of a named target that this answers: `unknown` here is exit 12. */
  readonly rung?: string;
  run(context: CheckContext, subject: Extract<Subject, { kind: Kind }>): Promise<Judgement>;
}

/** Builds a check from its two halves. */
export function defineCheck<Kind extends SubjectKind, Facts>(
  definition: Omit<Check<Kind>, 'run'> & {
    gather(context: CheckContext, subject: Extract<Subject, { kind: Kind }>): Promise<Facts> | Facts;
    judge(facts: Facts, subject: Extract<Subject, { kind: Kind }>, context: JudgeContext): Judgement;
  },
): Check<Kind> {
  const { gather, judge, ...rest } = definition;
  return {
    ...rest,
    async run(context, subject) {
      return judge(await gather(context, subject), subject, context);
    },
  };
}

/** All that a rule may know besides the facts. */
export type JudgeContext = Pick<CheckContext, 'intent' | 'subjects' | 'topic'>;

/** All is well. */
export const nothing: Judgement = { drafts: [] };

/** The question does not arise; why, or the id of the check that it waits for. */
export function skip(why: string): Judgement {
  return { drafts: [], skip: why };
}

/** What a check has to say; nothing at all is `ok`. */
export function found(...drafts: Draft[]): Judgement {
  return { drafts };
}
