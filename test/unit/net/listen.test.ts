import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dial } from '../../../src/net/dial.ts';
import { parseAddress } from '../../../src/net/endpoint/address.ts';
import { parseListen } from '../../../src/net/endpoint/listen-address.ts';
import { listen } from '../../../src/net/listen.ts';
import { failureOf, makeIdentity, readBytes } from './rig.ts';

const echo = { onConnection: ({ stream }: { stream: NodeJS.ReadWriteStream }) => void stream.pipe(stream) };
const on = (...texts: string[]) => ({ ...echo, addresses: texts.map((text) => parseListen(text)) });

async function answers(address: string): Promise<boolean> {
  const { stream } = await dial({ to: parseAddress(address), via: [] });
  stream.write('x');
  const byte = await readBytes(stream, 1);
  stream.destroy();
  return byte.toString() === 'x';
}

describe('listen', () => {
  it('takes both families on [::] and says the port that it got', async () => {
    await using listener = await listen(on('[::]:0'));
    expect(listener.bound).toEqual([`[::]:${listener.port}`]);
    expect(listener.notes).toEqual([]);
    expect(await answers(`127.0.0.1:${listener.port}`)).toBe(true);
    expect(await answers(`[::1]:${listener.port}`)).toBe(true);
  });

  it('binds both loopback addresses for localhost, with one port', async () => {
    await using listener = await listen(on('localhost:0'));
    expect(listener.bound).toEqual([`[::1]:${listener.port}`, `127.0.0.1:${listener.port}`]);
    expect(await answers(`127.0.0.1:${listener.port}`)).toBe(true);
    expect(await answers(`[::1]:${listener.port}`)).toBe(true);
  });

  it('shows an IPv4 peer of a dual-stack socket as IPv4', async () => {
    const seen = Promise.withResolvers<string>();
    await using listener = await listen({
      addresses: [parseListen('[::]:0')],
      onConnection: ({ stream, peer }) => {
        seen.resolve(peer);
        stream.destroy();
      },
    });
    const socket = connect(listener.port ?? 0, '127.0.0.1');
    socket.on('error', () => undefined);
    expect(await seen.promise).toMatch(/^127\.0\.0\.1:\d+$/);
    socket.destroy();
  });

  it.each(['[::]', '127.0.0.1', 'localhost'])('says who holds a port that %s cannot have', async (host) => {
    await using holder = await listen(on('127.0.0.1:0'));
    const error = await failureOf(listen(on(`${host}:${holder.port}`)));
    expect(error).toMatchObject({ code: 'BBX-NET-IN-USE', exit: 8 });
    expect(error.message).toContain(`held by a listener on 127.0.0.1:${holder.port}`);
  });

  it('binds all or nothing', async () => {
    await using holder = await listen(on('127.0.0.1:0'));
    await using free = await listen(on('127.0.0.2:0'));
    const port = free.port ?? 0;
    await free.close(0);
    await failureOf(listen(on(`127.0.0.2:${port}`, `127.0.0.1:${holder.port}`)));
    await using again = await listen(on(`127.0.0.2:${port}`));
    expect(again.port).toBe(port);
  });

  it('says that an address is not one of this host', async () => {
    const error = await failureOf(listen(on('192.0.2.77:0')));
    expect(error).toMatchObject({ code: 'BBX-NET-NOT-OURS', exit: 7 });
  });

  it('listens on a socket in the file system', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'bbx-listen-'));
    try {
      await using listener = await listen(on(`unix:${dir}/s`));
      expect(listener.bound).toEqual([`unix:${dir}/s`]);
      expect(await answers(`unix:${dir}/s`)).toBe(true);
      expect(await failureOf(listen(on(`unix:${dir}/s`)))).toMatchObject({ exit: 8 });
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('takes over a socket that a killed program left behind, for its owner alone', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'bbx-listen-'));
    try {
      const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
      await once(spawn(process.execPath, ['-e', script, `${dir}/s`]), 'exit');
      expect((await stat(`${dir}/s`)).isSocket()).toBe(true);
      await using listener = await listen(on(`unix:${dir}/s`));
      expect((await stat(`${dir}/s`)).mode & 0o777).toBe(0o600);
      expect(await answers(listener.bound[0] ?? '')).toBe(true);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('destroys what is still open when the grace of close is over', async () => {
    const listener = await listen(on('127.0.0.1:0'));
    const { stream } = await dial({ to: parseAddress(listener.bound[0] ?? ''), via: [] });
    const closed = once(stream.resume(), 'close');
    const started = performance.now();
    await listener.close(100);
    expect(performance.now() - started).toBeGreaterThanOrEqual(95);
    await closed;
    expect((await failureOf(dial({ to: parseAddress(listener.bound[0] ?? ''), via: [] }))).code).toBe(
      'BBX-NET-REFUSED',
    );
  });

  it.each([
    [
      'talks something else',
      (socket: ReturnType<typeof connect>) => void socket.write('GET / HTTP/1.1\r\n\r\n'),
    ],
    ['is silent', () => undefined],
  ])('cuts off a peer that %s where TLS is due, and serves the next one', async (_title, act) => {
    const identity = makeIdentity();
    await using listener = await listen({ ...on('127.0.0.1:0'), tls: { ...identity, handshakeMs: 200 } });
    const socket = connect(listener.port ?? 0, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    act(socket);
    await once(socket, 'close');
    const { stream } = await dial({
      to: parseAddress(listener.bound[0] ?? ''),
      via: [],
      tls: { pins: [identity.pin] },
    });
    stream.destroy();
  });
});
