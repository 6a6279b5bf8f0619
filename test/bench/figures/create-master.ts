import { join } from 'node:path';
import { tempDir } from '../../rigs/temp-dir.ts';
import { figure, inTurn, type Figure } from '../figure.ts';
import { ended } from '../process.ts';

const RUNS = 15;

/** `bbx create-master` with its keys as a whole process, beside `node -e 0`. */
export async function createMaster(bin: string): Promise<Figure[]> {
  await using dir = await tempDir();
  let made = 0;
  const create = () => ended([bin, 'create-master', join(dir.path, `m${(made += 1)}`)]);
  await create();
  const { own, bare } = await inTurn(RUNS, { own: create, bare: () => ended(['-e', '0']) });
  return [figure('bbx create-master', 'ms', own, 'node -e 0', bare, { reach: { atMost: 5 } })];
}
