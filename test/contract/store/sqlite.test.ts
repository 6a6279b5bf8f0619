import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../src/store/store.ts';
import { describeStore } from './suite.ts';

describeStore('SQLite', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'bbx-store-'));
  const open = () => openStore('sqlite:state.sqlite', { dir });
  return { open, openSecond: open, remove: () => rm(dir, { recursive: true, force: true }) };
});
