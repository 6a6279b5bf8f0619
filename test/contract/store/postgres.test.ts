import { beforeAll, describe } from 'vitest';
import { openStore } from '../../../src/store/store.ts';
import { hasPostgres, makeDatabase, type Database } from '../../rigs/postgres.ts';
import { describeStore } from './suite.ts';

describe.skipIf(!hasPostgres())('with a server', () => {
  let template: Database;

  // The tables are made once; each test gets a copy.
  beforeAll(async () => {
    template = await makeDatabase();
    await (await openStore(template.url, { dir: '.' })).close();
  });

  describeStore('PostgreSQL', async () => {
    const database = await makeDatabase({ template: template.name });
    const open = () => openStore(database.url, { dir: '.' });
    return { open, openSecond: open, remove: () => Promise.resolve() };
  });
});
