import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { dial } from '../../src/net/dial.ts';
import { parseAddress } from '../../src/net/endpoint/address.ts';
import { parseHop } from '../../src/net/endpoint/hop.ts';
import type { Connection } from '../../src/net/hops/connection.ts';
import { listen } from '../../src/net/listen.ts';
import { parseListen } from '../../src/net/endpoint/listen-address.ts';
import { has } from '../rigs/debian.ts';
import { freePort } from '../rigs/farm.ts';
import { startMicrosocks, startTinyproxy } from '../rigs/proxies.ts';
import { skipAloud } from '../rigs/skip-aloud.ts';
import { startSshd } from '../rigs/sshd.ts';
import { tempDir } from '../rigs/temp-dir.ts';
import { failureOf, makeIdentity, readBytes } from '../unit/net/rig.ts';

const identity = makeIdentity();
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});
function keep<T extends AsyncDisposable>(one: T): T {
  open.push(one);
  return one;
}

/** A pinned listener; what it accepts. */
async function serve(text: string) {
  const accepted = Promise.withResolvers<Connection>();
  const listener = keep(
    await listen({ addresses: [parseListen(text)], tls: identity, onConnection: accepted.resolve }),
  );
  return { to: parseAddress(listener.bound[0] ?? ''), accepted: accepted.promise };
}

/** Both ways, more than any buffer holds. */
async function carries(client: Connection, server: Connection) {
  keep({ [Symbol.asyncDispose]: async () => void server.stream.destroy() });
  keep({ [Symbol.asyncDispose]: async () => void client.stream.destroy() });
  const up = randomBytes(600_000);
  const down = randomBytes(300_000);
  client.stream.write(up);
  server.stream.write(down);
  const [gotUp, gotDown] = await Promise.all([
    readBytes(server.stream, up.length),
    readBytes(client.stream, down.length),
  ]);
  expect(gotUp.equals(up) && gotDown.equals(down)).toBe(true);
}

async function netrc(host: string, password: string, mode = 0o600) {
  const dir = keep(await tempDir());
  const file = join(dir.path, 'netrc');
  await writeFile(file, `machine ${host} login farm password ${password}\n`, { mode });
  return { NETRC: file };
}

async function sshHop() {
  const dir = keep(await tempDir());
  const sshd = keep(await startSshd(join(dir.path, 'sshd')));
  const hop = parseHop(sshd.url('').replace('ssh://', 'ssh:'));
  const env = (key = sshd.key, known = sshd.knownHosts) => ({
    ...process.env,
    BBX_SSH_COMMAND: `ssh -F /dev/null -i ${key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${known}`,
  });
  return { hop, env, sshd };
}

describe.skipIf(skipAloud('socks5 hops', has('microsocks') ? undefined : 'no microsocks'))('socks5', () => {
  it.each(['127.0.0.1:0', '[::1]:0'])('carries pinned TLS to %s', async (text) => {
    const proxy = keep(await startMicrosocks());
    const { to, accepted } = await serve(text);
    const via = [parseHop(`socks5://127.0.0.1:${proxy.port}`)];
    const client = await dial({ to, via, tls: { pins: [identity.pin] } }, { env: {} });
    expect(client.peer).toBe(`127.0.0.1:${proxy.port}`);
    await carries(client, await accepted);
  });

  it('lets the proxy look names up', async () => {
    const proxy = keep(await startMicrosocks());
    const { to, accepted } = await serve('127.0.0.1:0');
    const named = { kind: 'tcp' as const, host: 'localhost', port: to.kind === 'tcp' ? to.port : 0 };
    const resolver = { resolve: () => Promise.reject(new Error('nobody asks here')) };
    const via = [parseHop(`socks5://127.0.0.1:${proxy.port}`)];
    const client = await dial({ to: named, via, tls: { pins: [identity.pin] } }, { env: {}, resolver });
    await carries(client, await accepted);
  });

  it('logs in with what netrc has, and says when that is wrong or missing, never what it was', async () => {
    const proxy = keep(await startMicrosocks({ user: 'farm', password: 'open-sesame' }));
    const { to, accepted } = await serve('[::1]:0');
    const via = [parseHop(`socks5://127.0.0.1:${proxy.port}`)];
    const route = { to, via, tls: { pins: [identity.pin] } };
    const without = await failureOf(dial(route, { env: { HOME: '/nonexistent' } }));
    expect(without).toMatchObject({ code: 'BBX-NET-PROXY-LOGIN', exit: 4 });
    expect(without.message).toContain('wants a user and password');
    const seen: unknown[] = [];
    const wrong = await failureOf(
      dial(route, { env: await netrc('127.0.0.1', 'guess-work'), onEvidence: (one) => seen.push(one) }),
    );
    expect(wrong.message).toContain('refuses our user and password');
    expect(JSON.stringify([seen, wrong, wrong.data, wrong.message])).not.toContain('guess-work');
    const client = await dial(route, { env: await netrc('127.0.0.1', 'open-sesame') });
    await carries(client, await accepted);
  });

  it('gives the reply of the proxy in words', async () => {
    const proxy = keep(await startMicrosocks());
    const port = await freePort('127.0.0.1');
    const error = await failureOf(
      dial(
        { to: parseAddress(`127.0.0.1:${port}`), via: [parseHop(`socks5://127.0.0.1:${proxy.port}`)] },
        { env: {} },
      ),
    );
    expect(error).toMatchObject({ code: 'BBX-NET-PROXY', exit: 3, data: { reply: 5 } });
    expect(error.message).toBe(
      `Cannot reach "127.0.0.1:${port}" by way of "socks5://127.0.0.1:${proxy.port}": the connection was refused there`,
    );
  });
});

describe.skipIf(skipAloud('http hops', has('tinyproxy') ? undefined : 'no tinyproxy'))('http', () => {
  it.each(['127.0.0.1:0', '[::1]:0'])('carries pinned TLS to %s', async (text) => {
    const dir = keep(await tempDir());
    const proxy = keep(await startTinyproxy(dir.path));
    const { to, accepted } = await serve(text);
    const via = [parseHop(`http://127.0.0.1:${proxy.port}`)];
    await carries(await dial({ to, via, tls: { pins: [identity.pin] } }, { env: {} }), await accepted);
  });

  it('says that a port is not allowed, and that a login is wanted', async () => {
    const dir = keep(await tempDir());
    const closed = keep(await startTinyproxy(dir.path, { connectPorts: [443] }));
    const { to } = await serve('[::1]:0');
    const forbidden = await failureOf(
      dial({ to, via: [parseHop(`http://127.0.0.1:${closed.port}`)] }, { env: {} }),
    );
    expect(forbidden).toMatchObject({ code: 'BBX-NET-PROXY', data: { reply: 403 } });
    expect(forbidden.message).toContain('it answered 403');
    const locked = keep(await startTinyproxy(dir.path, { user: 'farm', password: 'open-sesame' }));
    const via = [parseHop(`http://127.0.0.1:${locked.port}`)];
    expect(await failureOf(dial({ to, via }, { env: {} }))).toMatchObject({
      code: 'BBX-NET-PROXY-LOGIN',
      data: { given: false },
    });
    expect(await failureOf(dial({ to, via }, { env: await netrc('127.0.0.1', 'guess') }))).toMatchObject({
      code: 'BBX-NET-PROXY-LOGIN',
      data: { given: true },
    });
    const client = await dial({ to, via }, { env: await netrc('127.0.0.1', 'open-sesame') });
    client.stream.destroy();
  });

  it('uses no login of a file that others may read', async () => {
    const dir = keep(await tempDir());
    const proxy = keep(await startTinyproxy(dir.path));
    const error = await failureOf(
      dial(
        { to: parseAddress('[::1]:1'), via: [parseHop(`http://127.0.0.1:${proxy.port}`)] },
        { env: await netrc('127.0.0.1', 'x', 0o644) },
      ),
    );
    expect(error).toMatchObject({ code: 'BBX-NET-NETRC', exit: 7 });
    expect(error.hint).toContain('chmod 600');
  });
});

describe.skipIf(
  skipAloud(
    'ssh hops',
    has('sshd') && has('ssh') && has('microsocks') ? undefined : 'no sshd, ssh or microsocks',
  ),
)('ssh', () => {
  it('carries pinned TLS by ssh -W, also with a proxy behind it', async () => {
    const { hop, env } = await sshHop();
    const first = await serve('[::1]:0');
    const tls = { pins: [identity.pin] };
    const client = await dial({ to: first.to, via: [hop], tls }, { env: env() });
    await carries(client, await first.accepted);
    const proxy = keep(await startMicrosocks());
    const second = await serve('127.0.0.1:0');
    const via = [hop, parseHop(`socks5://127.0.0.1:${proxy.port}`)];
    await carries(await dial({ to: second.to, via, tls }, { env: env() }), await second.accepted);
  });

  it('goes through two hosts', async () => {
    const { hop, env, sshd } = await sshHop();
    const { to, accepted } = await serve('[::1]:0');
    const before = sshd.accepted();
    // The second ssh of a chain reads its own configuration file alone, so keys and known hosts stand there.
    const dir = keep(await tempDir());
    const file = join(dir.path, 'config');
    const port = hop.kind === 'ssh' ? hop.port : undefined;
    await writeFile(
      file,
      // Another name, or ssh sees a loop.
      `Host first\nHostName ::1\nPort ${port}\nHost *\n` +
        `IdentityFile ${sshd.key}\nIdentitiesOnly yes\nUserKnownHostsFile ${sshd.knownHosts}\n`,
    );
    const client = await dial(
      { to, via: [parseHop('ssh:first'), hop], tls: { pins: [identity.pin] } },
      { env: { ...env(), BBX_SSH_COMMAND: `ssh -F ${file}` } },
    );
    await carries(client, await accepted);
    expect(sshd.accepted() - before).toBe(2);
  });

  it("gives ssh's own words: a key that is not let in, a host that is not known, a far end that refuses", async () => {
    const { hop, env, sshd } = await sshHop();
    const port = await freePort('127.0.0.1');
    const route = { to: parseAddress(`127.0.0.1:${port}`), via: [hop] };
    const stranger = await failureOf(dial(route, { env: env(sshd.strangersKey) }));
    expect(stranger).toMatchObject({ code: 'BBX-NET-SSH', exit: 3 });
    expect(stranger.message).toContain('Permission denied');
    const unknown = await failureOf(dial(route, { env: env(sshd.key, '/dev/null') }));
    expect(unknown.message).toContain('Host key verification failed');
    expect(unknown.hint).toContain('ssh ');
    const refused = await failureOf(dial(route, { env: env() }));
    expect(refused.message).toContain('Connection refused');
    const none = await failureOf(dial(route, { env: { ...env(), BBX_SSH_COMMAND: '/nonexistent/ssh' } }));
    expect(none.message).toContain('not found');
  });

  it('leaves no ssh behind when it is given up', async () => {
    const { hop, env } = await sshHop();
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    keep({ [Symbol.asyncDispose]: async () => void silent.close() });
    const sockets = once(silent, 'connection');
    const stop = new AbortController();
    const { port } = silent.address() as AddressInfo;
    const dialled = failureOf(
      dial(
        { to: parseAddress(`127.0.0.1:${port}`), via: [hop], tls: { firstContact: true } },
        { env: env(), signal: AbortSignal.any([stop.signal, AbortSignal.timeout(20_000)]), timeoutMs: 1_500 },
      ),
    );
    const [socket] = (await sockets) as [import('node:net').Socket];
    const closed = once(socket, 'close');
    socket.resume();
    expect(await dialled).toMatchObject({ code: 'BBX-NET-TIME' });
    // Only when ssh is gone does its server close the far end.
    await closed;
  });
});

describe('a hop that lies', () => {
  async function stub(answer: Buffer | string | undefined) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => (answer === undefined ? socket.end() : socket.write(answer)));
      keep({ [Symbol.asyncDispose]: async () => void socket.destroy() });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    keep({ [Symbol.asyncDispose]: async () => void server.close() });
    return (server.address() as AddressInfo).port;
  }
  const to = parseAddress('ci.example:9989');

  it.each([
    ['socks5', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'it does not speak SOCKS 5 (first byte 48)'],
    ['socks5', undefined, 'it closed the connection instead of answering the greeting'],
    ['http', Buffer.from([5, 0]), 'it does not speak HTTP'],
    ['http', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}`, 'its answer has no end'],
    ['http', 'HTTP/1.1 503 \u001b[31mred\r\n\r\n', 'it answered 503 ?[31mred'],
    ['http', undefined, 'it closed the connection instead of answering'],
  ])('%s: %j is refused with words', async (kind, answer, words) => {
    const port = await stub(answer);
    const error = await failureOf(dial({ to, via: [parseHop(`${kind}://127.0.0.1:${port}`)] }, { env: {} }));
    expect(error.code).toBe('BBX-NET-PROXY');
    expect(error.message).toContain(words);
  });

  it.each(['socks5', 'http'])('%s: silence ends by the limit, which names the hop', async (kind) => {
    const port = await stub(Buffer.alloc(0));
    const hop = parseHop(`${kind}://127.0.0.1:${port}`);
    const error = await failureOf(dial({ to, via: [hop] }, { env: {}, timeoutMs: 400 }));
    expect(error).toMatchObject({ code: 'BBX-NET-TIME' });
    expect(error.message).toContain(`${kind}://127.0.0.1:${port}`);
  });

  it.each([
    ['fe80::1%lo', 'http', 'BBX-NET-PROXY'],
    ['ci.example:1', 'relay', 'BBX-NET-HOP-KIND'],
    ['unix:/run/x', 'http', 'BBX-NET-HOP-ORDER'],
  ])('to %s through %s is refused with %s', async (address, kind, code) => {
    const via = [parseHop(`${kind}://127.0.0.1:1`)];
    expect(await failureOf(dial({ to: parseAddress(address), via }, { env: {} }))).toMatchObject({ code });
  });

  it('puts no ssh behind a proxy', async () => {
    const via = ['http://127.0.0.1:1', 'ssh:me@host'].map(parseHop);
    expect(await failureOf(dial({ to, via }, { env: {} }))).toMatchObject({ code: 'BBX-NET-HOP-ORDER' });
  });
});
