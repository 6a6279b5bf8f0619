import type { CommandPort } from '../../build/command-port.ts';
import type { Environment } from '../../exec/environment.ts';
import type { Identity } from '../../exec/identity.ts';
import { createKeptLocks } from '../../exec/kept-locks.ts';
import type { KeptBuild } from './keeper/kept-builds.ts';
import { createLocalPort, type LocalPortOptions } from './local-port.ts';
import { openWorkspace } from './workspace.ts';

/** Where one build's commands run, until it is disposed. */
export interface BuildPlace {
  port: CommandPort;
  /** The port for a build whose commands the keeper runs. */
  keptPort?: (kept: KeptBuild) => CommandPort;
  /** Absolute path of the build's directory. */
  workdir: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The directories of a worker's builders, one build in each at a time. */
export interface Places extends Disposable {
  open(builddir: string): Promise<BuildPlace>;
}

/** For a process that holds the lock of the worker's whole directory: the locks of builders stay with it until `Symbol.dispose`. */
export function createPlaces(options: {
  builds: string;
  env: Environment;
  identity: Identity | null;
  openRoute: LocalPortOptions['openRoute'];
}): Places {
  const { builds, identity, openRoute } = options;
  const locks = createKeptLocks();
  // A copy: each look into `process.env` itself asks the system.
  const env = { ...options.env };
  return {
    async open(builddir) {
      const workspace = await openWorkspace({ builds, builddir, identity, takeLock: locks.take });
      const place = { ...workspace, env, identity, openRoute };
      return {
        port: createLocalPort(place),
        keptPort: (build) => createLocalPort({ ...place, kept: build }),
        workdir: workspace.root,
        [Symbol.asyncDispose]: () => workspace[Symbol.asyncDispose](),
      };
    },
    [Symbol.dispose]: () => locks[Symbol.dispose](),
  };
}
