import type { Finding } from '../api/doctor.ts';
import type { Hop } from '../net/endpoint/hop.ts';
import { BBX_VERSION } from './version.ts';

/** The doctor's words for a connection that failed; its code is loaded when one has. */
export function diagnoseOf(env: Readonly<Record<string, string | undefined>>) {
  return async (failure: {
    target: string;
    error: unknown;
    via?: readonly Hop[];
    signal?: AbortSignal;
  }): Promise<readonly Finding[]> => {
    const { diagnoseFailure } = await import('../diagnostics/diagnose-failure.ts');
    const { target, error, via, signal } = failure;
    return diagnoseFailure({ target, error, via }, { env, software: `bbx ${BBX_VERSION}`, signal });
  };
}
