import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openGitRoutes } from '../../src/net/git-routes.ts';
import { freePort } from '../rigs/farm.ts';
import { gitHttp } from '../rigs/git-http.ts';
import { gitRepository } from '../rigs/git-repository.ts';
import { gitCommand, localPort, runOn } from '../rigs/local-port.ts';
import { tempDir } from '../rigs/temp-dir.ts';

describe('the connections of a git step', () => {
  it('go through the routes of the worker, and the token of one step is good for that step only', async () => {
    await using dir = await tempDir();
    const repository = await gitRepository(join(dir.path, 'app.git'), { README: 'hello\n' });
    await using server = await gitHttp(dir.path, { user: 'me', password: 'secret' });
    await using routes = await openGitRoutes({ via: [], env: {} });
    const used: string[] = [];
    const openRoute = () => {
      const route = routes.open();
      used.push(route.env['http_proxy'] ?? '');
      return route;
    };
    await using place = await localPort({ openRoute });
    const url = new URL(`${server.url}/app.git`);
    const credentials = `http://me:secret@${url.host}`;
    const first = await runOn(place.port, gitCommand({ repository: url.href }, credentials));
    expect([first.ended, first.rc, first.properties]).toEqual([
      'exit',
      0,
      { got_revision: await repository.git('rev-parse', 'HEAD') },
    ]);
    await runOn(place.port, gitCommand({ repository: url.href }, credentials));
    expect(new Set(used).size).toBe(2);
    expect(first.header + first.stderr).not.toContain(new URL(used[0] ?? '').password);
  });

  it('say in the log of the step which addresses were tried when there is no way', async () => {
    await using routes = await openGitRoutes({ via: [], env: {} });
    await using place = await localPort({ openRoute: routes.open });
    const port = await freePort('::1');
    const ran = await runOn(place.port, gitCommand({ repository: `http://[::1]:${port}/app.git` }));
    expect(ran.rc).not.toBe(0);
    expect(ran.header).toMatch(new RegExp(`\\[::1\\]:${port}.*refused`, 's'));
  });

  it('are left alone where the environment names the proxy of the site', async () => {
    await using routes = await openGitRoutes({ via: [], env: { HTTPS_PROXY: 'http://proxy.example:3128' } });
    expect(routes.open().env).toEqual({});
  });
});
