import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { dial } from '../../src/net/dial.ts';
import { startLocalProxy } from '../../src/net/local-proxy.ts';
import { gitHttp } from '../rigs/git-http.ts';
import { gitRepository } from '../rigs/git-repository.ts';

const run = promisify(execFile);

/** git sends http:// URLs as whole requests; with a TLS URL it asks for CONNECT, which the second case looks at from outside. */
describe('git through the local proxy', () => {
  it('clones over the route of the build, and keeps its own login to the server', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'bbx-proxy-git-'));
    try {
      await gitRepository(join(dir, 'app.git'), { README: 'hello\n' });
      await using server = await gitHttp(dir, { user: 'me', password: 'secret' });
      const dialled: string[] = [];
      await using proxy = await startLocalProxy({
        via: [],
        dial: (route, options) => {
          dialled.push(route.to.kind);
          return dial(route, options);
        },
      });
      const grant = proxy.grant();
      const url = new URL(`${server.url}/app.git`);
      url.username = 'me';
      url.password = 'secret';
      const env = {
        PATH: process.env['PATH'],
        HOME: dir,
        http_proxy: grant.url.reveal(),
        GIT_TERMINAL_PROMPT: '0',
      };
      await run('git', ['clone', '--quiet', '--', url.href, join(dir, 'clone')], { env, timeout: 30_000 });
      expect(await readFile(join(dir, 'clone', 'README'), 'utf8')).toBe('hello\n');
      expect(dialled.length).toBeGreaterThan(0);
      expect(grant.failures).toEqual([]);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });

  it('asks for a tunnel where the URL is https, and learns from bbx why there is none', async () => {
    await using proxy = await startLocalProxy({ via: [] });
    const grant = proxy.grant();
    const first = Promise.withResolvers<string>();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        first.resolve(data.subarray(0, 2).toString('hex'));
        socket.destroy();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const env = { PATH: process.env['PATH'], https_proxy: grant.url.reveal(), GIT_TERMINAL_PROMPT: '0' };
    const ask = (target: number) =>
      run('git', ['ls-remote', `https://127.0.0.1:${target}/x.git`], { env, timeout: 30_000 }).catch(
        (error: unknown) => String((error as { stderr?: string }).stderr),
      );
    await ask(port);
    // The first bytes of a TLS handshake have come through.
    expect(await first.promise).toBe('1603');
    server.close();
    await once(server, 'close');
    expect(await ask(port)).toContain('502');
    expect(grant.failures.map(({ code }) => code)).toEqual(['BBX-NET-REFUSED']);
    const url = new URL(grant.url.reveal());
    const alive = connect(Number(url.port), url.hostname);
    await once(alive, 'connect');
    alive.destroy();
  });
});
