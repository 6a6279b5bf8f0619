import type { DoctorReport } from '../api/doctor.ts';
import type { Examined } from './examine.ts';
import { withoutSecrets } from './without-secrets.ts';

export interface DocumentOptions {
  /** Version of bbx. */
  bbx: string;
  /** The words behind `bbx doctor`. */
  words: readonly string[];
  /** With every answer that the checks got, as `--report` keeps them. */
  facts: boolean;
  /** What it tells of its place is to have stand-ins. */
  shared: boolean;
}

/** The report with who made it, when and what for: what `--json` prints and `--report` keeps. No secret is in it. */
export function documentOf(examined: Examined, options: DocumentOptions): DoctorReport {
  const { report, intent, plan } = examined;
  const { schema, ...rest } = report;
  return withoutSecrets({
    schema,
    bbx: options.bbx,
    node: process.versions.node,
    at: examined.at,
    ms: examined.ms,
    budgetMs: examined.budgetMs,
    words: [...options.words],
    ...(options.shared ? { shared: true as const } : {}),
    vantage: plan.vantage,
    intent: { families: [...intent.families], insists: [...intent.insists], source: intent.source },
    ...rest,
    ...(options.facts ? { facts: [...examined.facts] } : {}),
  });
}
