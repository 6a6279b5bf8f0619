import { expect, it } from 'vitest';
import { join } from 'node:path';
import type { BbxError } from '../../../src/base/error.ts';
import { codes } from '../../../src/store/codes.ts';
import { getMeta, setMeta } from '../../../src/store/meta.ts';
import { openSqliteEngine } from '../../../src/store/sqlite/open.ts';
import { createWal } from '../../../src/store/sqlite/wal.ts';
import { openStore, storeOver } from '../../../src/store/store.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

it('a flush that fails is told at once, nothing is confirmed any more, and a new process goes on', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'state.sqlite');
  const told: BbxError[] = [];
  let broken = false;
  const engine = openSqliteEngine(file, {
    readOnly: false,
    onTaken: (error) => void told.push(error),
    openWal(path) {
      const wal = createWal(path);
      return {
        ...wal,
        sync: () =>
          broken
            ? Promise.reject(codes['BBX-STO-UNFLUSHED']({ file: path, problem: 'EIO: i/o error' }))
            : wal.sync(),
      };
    },
  });
  const store = await storeOver(engine, {});
  await store.write((tx) => setMeta(tx, 'before', 'kept'));
  broken = true;
  await expect(store.write((tx) => setMeta(tx, 'then', 'unsure'))).rejects.toMatchObject({
    code: 'BBX-STO-UNFLUSHED',
    // The way of a master that lost its store: what waits is given back, and it ends with this.
    retryable: true,
    exit: 11,
  });
  expect(told).toMatchObject([{ code: 'BBX-STO-UNFLUSHED' }]);
  broken = false;
  await expect(store.write((tx) => setMeta(tx, 'later', 'no'))).rejects.toMatchObject({
    code: 'BBX-STO-UNFLUSHED',
  });
  await expect(store.read((db) => getMeta(db, 'before'))).rejects.toMatchObject({
    code: 'BBX-STO-UNFLUSHED',
  });
  expect(told).toHaveLength(1);
  await store.close();

  await using again = await openStore('sqlite:state.sqlite', { dir: dir.path });
  expect(await again.read((db) => getMeta(db, 'before'))).toBe('kept');
});
