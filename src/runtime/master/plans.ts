import type { BuildPlan, Properties, StepPlan } from '../../build/plan.ts';
import type { BuilderConfig, MasterConfig } from '../../config/master.ts';

/** What a build is made for. `repository` is a name of the configuration. */
export interface SourceStamp {
  repository: string | null;
  branch: string | null;
  revision: string | null;
}

/**
 * The plan of one build: the builder's steps, the source stamp in those git steps that check out the builder's own repository, and
 * properties. Of properties with one name the intrinsic ones win, then the request's, then the builder's.
 */
export function makePlan(
  config: Pick<MasterConfig, 'repositories'>,
  builder: BuilderConfig,
  build: { builder: string; number: number; worker: string; source: SourceStamp; properties: Properties },
): BuildPlan {
  const { source } = build;
  const own = source.repository === null || source.repository === builder.repository;
  return {
    builder: build.builder,
    number: build.number,
    builddir: builder.builddir,
    env: builder.env,
    properties: {
      ...builder.properties,
      ...build.properties,
      builder: build.builder,
      number: build.number,
      worker: build.worker,
      repository: source.repository ?? builder.repository,
      branch: source.branch,
      revision: source.revision,
    },
    steps: own ? builder.steps.map((step) => atSource(step, homeOf(config, builder), source)) : builder.steps,
  };
}

function homeOf(config: Pick<MasterConfig, 'repositories'>, builder: BuilderConfig): string | undefined {
  return builder.repository === null ? undefined : config.repositories[builder.repository]?.git;
}

function atSource(step: StepPlan, home: string | undefined, source: SourceStamp): StepPlan {
  if (step.kind !== 'git' || step.repository !== home) return step;
  if (step.branch !== null || step.revision !== null) return step;
  return { ...step, branch: source.branch, revision: source.revision };
}
