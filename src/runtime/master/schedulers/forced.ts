import type { Properties } from '../../../build/plan.ts';
import type { BuilderConfig } from '../../../config/master-config.ts';

/** A build that somebody asks for. */
export interface Forced {
  builder: string;
  branch?: string | undefined;
  revision?: string | undefined;
  reason: string;
  priority: number;
  properties: Properties;
}

/** What a forced build is made of: the builder's repository, at the asked branch and revision or else at its head when the build runs. */
export function planForced(
  { branch, revision, ...asked }: Forced,
  builder: Pick<BuilderConfig, 'repository'>,
) {
  return { ...asked, repository: builder.repository, branch: branch ?? null, revision: revision ?? null };
}
