import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { dialledWay } from '../../../../src/protocol/bbx/dial-facts.ts';
import { createPlaceTrier } from '../../../../src/runtime/worker/link-places.ts';

async function listener(): Promise<AsyncDisposable & { port: number; heard(): number }> {
  let bytes = 0;
  const server = createServer((socket) => {
    socket.on('data', (chunk) => (bytes += chunk.length));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    heard: () => bytes,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}
const trier = (isBehindHops = false, signal = new AbortController().signal) =>
  createPlaceTrier({ isBehindHops, signal });

describe('places that a master asks about', () => {
  it('are connected to, in the order of the question, and nothing is sent there', async () => {
    await using open = await listener();
    const { port: closed } = await (async () => {
      await using gone = await listener();
      return { port: gone.port };
    })();
    const ways = await trier()([
      { host: '127.0.0.1', port: open.port },
      { host: '127.0.0.1', port: closed },
    ]);
    expect(ways.map((way) => dialledWay.parse(way))).toEqual(ways);
    expect(
      ways.map(({ addresses }) => addresses.map(({ outcome, errno, met }) => [outcome, errno, met])),
    ).toEqual([[['connected', null, null]], [['failed', 'ECONNREFUSED', null]]]);
    expect(open.heard()).toBe(0);
  });

  it.each(['a b', '-oProxyCommand=x', '', '[::1', 'x'.repeat(253), '../etc'])(
    'are not looked up where %j is no host',
    async (host) => {
      const [way] = await trier()([{ host, port: 9 }]);
      expect(way).toMatchObject({ host, addresses: [] });
    },
  );

  it('are left alone where the worker goes out through hops', async () => {
    await using open = await listener();
    const [way] = await trier(true)([{ host: '127.0.0.1', port: open.port }]);
    expect(way).toMatchObject({ behindHops: true, addresses: [] });
  });

  it('are tried for a few questions at a time, however many a master sends', async () => {
    await using open = await listener();
    const ask = trier();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ask([{ host: '127.0.0.1', port: open.port }])),
    );
    expect(answers.filter((ways) => ways.length > 0)).toHaveLength(4);
  });

  it('are given up with the worker', async () => {
    const stop = new AbortController();
    stop.abort(new Error('the worker ends'));
    await expect(trier(false, stop.signal)([{ host: '127.0.0.1', port: 9 }])).rejects.toThrow(
      'the worker ends',
    );
  });
});
