import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setMeta } from '../../../src/store/meta.ts';
import { openStore } from '../../../src/store/store.ts';
import { makeDatabase } from '../../rigs/postgres.ts';
import { tempDir } from '../../rigs/temp-dir.ts';
import { figure, inTurn, type Figure } from '../figure.ts';

const RUNS = 200;

/** One transaction of one row, and one read of a row, as the master does them; beside a write of 4 KiB that is flushed. */
export async function storeWork(): Promise<Figure[]> {
  await using dir = await tempDir();
  const postgres = process.env['BBX_TEST_STORE'] === 'postgres';
  const url = postgres ? (await makeDatabase()).url : 'sqlite:state.sqlite';
  await using store = await openStore(url, { dir: dir.path, sole: true });
  const file = openSync(join(dir.path, 'plain'), 'w');
  const page = Buffer.alloc(4_096);
  let count = 0;
  const { write, read, flush } = await inTurn(RUNS, {
    write: () => store.write((tx) => setMeta(tx, 'n', String((count += 1)))),
    read: () =>
      store.read((db) => db.selectFrom('meta').select('value').where('key', '=', 'n').executeTakeFirst()),
    flush: () => {
      writeSync(file, page, 0, page.length, 0);
      fdatasyncSync(file);
      return Promise.resolve();
    },
  });
  closeSync(file);
  const name = postgres ? 'PostgreSQL' : 'SQLite';
  return [
    figure(`${name}: one transaction of one row`, 'ms', write, 'a flushed write of 4 KiB', flush),
    figure(`${name}: one row read`, 'ms', read, 'a flushed write of 4 KiB', flush),
  ];
}
