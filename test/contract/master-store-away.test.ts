import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type PostgresServer } from '../../src/exec/postgres-server.ts';
import { testMaster } from '../rigs/master.ts';
import { hasPostgres, makeDatabase } from '../rigs/postgres.ts';
import { startPostgresProxy, type PostgresProxy } from '../rigs/postgres-proxy.ts';
import { until } from '../rigs/wait.ts';

describe.skipIf(!hasPostgres())('a master whose PostgreSQL is away', () => {
  let server: PostgresServer;
  let proxy: PostgresProxy;

  beforeAll(async () => {
    server = await startPostgres();
    proxy = await startPostgresProxy(server.dir);
  });
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it.each([0, 1, 12])('ends within 5 s, with %i workers', async (count) => {
    proxy.set('through');
    const database = await makeDatabase({ server });
    await using rig = await testMaster(`store: ${proxy.url(server.user, database.name)}\n`);
    for (let i = 0; i < count; i += 1) await rig.worker(`w${i}`);
    proxy.set('refuse');
    const began = performance.now();
    await rig.master.stop();
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('says so to who asks it for a build, before they have given up waiting', async () => {
    proxy.set('through');
    const database = await makeDatabase({ server });
    const builders = 'builders: { app: { steps: [ { run: make } ] } }';
    await using rig = await testMaster(`store: ${proxy.url(server.user, database.name)}\n${builders}\n`);
    proxy.set('refuse');
    const asked = rig.client.call('startBuild', { body: { builder: 'app' } });
    await expect(asked).rejects.toMatchObject({ code: 'BBX-STO-AWAY' });
    proxy.set('through');
    await until('the database is back', async () => {
      const { lists } = await rig.client.call('status', {});
      return !lists.stale;
    });
    // What was refused was not done.
    expect(await rig.client.call('requests', {})).toEqual([]);
  });
});
