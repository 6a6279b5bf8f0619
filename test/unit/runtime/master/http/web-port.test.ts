import { expect, it } from 'vitest';
import { silentLog } from '../../../../../src/base/log.ts';
import { dial } from '../../../../../src/net/dial.ts';
import { openWebPort } from '../../../../../src/runtime/master/http/web.ts';

it('names a worker that comes over IPv4 to [::] by its IPv4 address', async () => {
  const arrived = Promise.withResolvers<{ peer: string; local: string }>();
  const web = await openWebPort({
    addresses: [{ kind: 'tcp', host: '::', port: 0 }],
    log: silentLog,
    onTunnel(stream, ends) {
      arrived.resolve(ends);
      stream.destroy();
    },
    mayCome: () => true,
  });
  try {
    const port = Number(web.bound[0]?.split(':').at(-1));
    const { stream } = await dial(
      { to: { kind: 'web-socket', secure: false, host: '127.0.0.1', port, path: '/bbx/worker' }, via: [] },
      { timeoutMs: 5_000 },
    );
    const { peer, local } = await arrived.promise;
    expect(peer).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(local).toBe(`127.0.0.1:${port}`);
    stream.destroy();
  } finally {
    await web.close();
  }
});
