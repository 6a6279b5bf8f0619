import type { Finding } from '../api/doctor.ts';
import { BbxError } from '../base/error.ts';
import type { Hop } from '../net/endpoint/hop.ts';
import { createProbes, ownName } from './doors/probes.ts';
import { selectChecks } from './catalogue.ts';
import { makePlan } from './plan.ts';
import { placeOf } from './plan/place.ts';
import { makeReport } from './report.ts';
import { runChecks } from './run.ts';

/** A program that waits to try again has no more time for an explanation than this. */
const FAILURE_BUDGET_MS = 5_000;
/** One connection of it: two SYNs and their answers. */
const FAILURE_CONNECT_MS = 3_000;

/** Something could not be connected to. */
export interface Failure {
  /** An address, or a repository's URL. */
  target: string;
  error?: unknown;
  /** Hops on the way. */
  via?: readonly Hop[] | undefined;
}

export interface DiagnoseOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** What a greeting says we are. */
  software: string;
  signal?: AbortSignal | undefined;
  /** Whose failure it is; in findings as their vantage. */
  vantage?: Finding['vantage'];
  budgetMs?: number;
}

/**
 * Says why a connection failed, with the doctor's own checks and words, within five seconds: the root findings, gravest first, none
 * when everything works by now. Rejects only with the signal's reason.
 */
export async function diagnoseFailure(
  failure: Failure | string,
  options: DiagnoseOptions,
): Promise<Finding[]> {
  const { target, error, via = [] }: Failure = typeof failure === 'string' ? { target: failure } : failure;
  const place = placeOf(target);
  if (place === undefined) return [];
  const { env, software, budgetMs = FAILURE_BUDGET_MS } = options;
  const signal = options.signal ?? new AbortController().signal;
  const stop = new AbortController();
  const probes = createProbes({
    signal: AbortSignal.any([signal, stop.signal]),
    env,
    software,
    connectMs: Math.min(FAILURE_CONNECT_MS, budgetMs),
  });
  try {
    const host = await probes.host();
    const plan = makePlan(
      { topic: 'reach', target: place.address, protocol: place.protocol, via },
      {
        directory: { master: undefined, worker: undefined, beside: undefined },
        ownNames: [ownName()],
        ownAddresses: host.addresses.map(({ address }) => address),
      },
    );
    const checks = selectChecks({ topic: 'reach', only: [], skip: [] });
    const context = { intent: plan.intent, subjects: plan.subjects, topic: 'reach' as const, probes };
    const outcomes = await runChecks({ checks, context, budgetMs, signal });
    const { report } = makeReport({
      checks,
      outcomes,
      verdicts: [],
      vantage: options.vantage ?? 'here',
      host: probes.seen.host,
      paths: [...probes.seen.paths.values()],
    });
    const grave = report.findings.filter(({ status }) => status === 'error' || status === 'warn');
    // A warning beside an error is not why it failed.
    const errors = grave.filter(({ status }) => status === 'error');
    return errors.length > 0 ? errors : error instanceof BbxError ? grave.slice(0, 1) : grave;
  } finally {
    stop.abort(new Error('the diagnosis is over'));
  }
}
