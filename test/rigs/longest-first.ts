import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, longest first, as a run in a clean clone showed. Vitest goes by size there, and a short file whose tests wait for half
 * a minute each would begin last and keep everybody.
 */
const LONGEST = [
  'test/scenario/keeper.test.ts',
  'test/interop/stock-buildbot.test.ts',
  'test/scenario/full-disks.test.ts',
  'test/lab/stock-names.test.ts',
  'test/scenario/drill.test.ts',
  'test/scenario/survival.test.ts',
  'test/scenario/link.test.ts',
  'test/scenario/postgres.test.ts',
  'test/scenario/farm.test.ts',
  'test/scenario/commands.test.ts',
  'test/lab/farm-families.test.ts',
  'test/scenario/link-silence.test.ts',
  'test/scenario/doctor-tls.test.ts',
  'test/interop/stock-worker.test.ts',
  'test/contract/store/postgres-trouble.test.ts',
  'test/scenario/doctor-directory.test.ts',
  'test/scenario/damage.test.ts',
  'test/lab/path-clients.test.ts',
  'test/interop/package.test.ts',
  'test/scenario/old-node.test.ts',
  'test/lab/dead-address.test.ts',
  'test/lab/path-both-ends.test.ts',
  'test/scenario/doctor-proxies.test.ts',
  'test/scenario/restore.test.ts',
  'test/scenario/provisioning.test.ts',
  'test/lab/doctor-loopback.test.ts',
  'test/interop/git-source.test.ts',
  'test/scenario/doctor-watch.test.ts',
  'test/lab/path-probes.test.ts',
  'test/interop/git-ssh.test.ts',
  'test/scenario/quickstart.test.ts',
];

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Vitest's own order, with these in front of the group that they run in. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const place = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.indexOf(moduleId.slice(root.length));
      return index < 0 ? LONGEST.length : index;
    };
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    return sorted.sort((a, b) => groupOf(a) - groupOf(b) || place(a) - place(b));
  }
}

for (const path of LONGEST)
  if (!existsSync(root + path)) throw new Error(`${path} is gone; take it from LONGEST, too`);
