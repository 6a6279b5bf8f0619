import { describe, expect, it } from 'vitest';
import { createSystemResolver } from '../../../src/net/system-resolver.ts';

describe.each([
  ['in a helper process', {}],
  ['in this process', { lookupInProcess: true }],
])('the system’s resolver, %s', (_title, options) => {
  it('asks each family apart', async () => {
    await using resolver = createSystemResolver(options);
    const [four, six] = await Promise.all([resolver.resolve('127.0.0.1', 4), resolver.resolve('::1', 6)]);
    expect(four).toMatchObject({ family: 4, addresses: ['127.0.0.1'], source: 'system' });
    expect(six).toMatchObject({ family: 6, addresses: ['::1'], source: 'system' });
  });

  it('gives the code of a name that has no address', async () => {
    await using resolver = createSystemResolver(options);
    const answer = await resolver.resolve('no-such-host.invalid', 4);
    expect(answer.addresses).toEqual([]);
    expect(answer.errno).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  });

  it('ends with the reason of the signal', async () => {
    await using resolver = createSystemResolver(options);
    const abort = new AbortController();
    const asked = resolver.resolve('no-such-host.invalid', 4, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });
});

describe('the system’s resolver', () => {
  it.each([
    [4, '127.0.0.1'],
    [6, '::1'],
  ] as const)('knows localhost in family %d without asking anybody', async (family, address) => {
    await using resolver = createSystemResolver();
    expect(await resolver.resolve('localhost', family)).toMatchObject({
      addresses: [address],
      source: 'builtin',
      ms: 0,
    });
  });

  it('answers silence after its limit, and still serves the next one', async () => {
    await using resolver = createSystemResolver();
    expect(await resolver.resolve('127.0.0.1', 4, { limitMs: 0 })).toMatchObject({ errno: 'silence' });
    expect(await resolver.resolve('127.0.0.1', 4)).toMatchObject({ addresses: ['127.0.0.1'] });
  });

  it('gives up on a helper in which many lookups are abandoned, and goes on with another', async () => {
    await using resolver = createSystemResolver();
    await Promise.all(Array.from({ length: 40 }, () => resolver.resolve('127.0.0.1', 4, { limitMs: 0 })));
    expect(await resolver.resolve('127.0.0.1', 4)).toMatchObject({ addresses: ['127.0.0.1'] });
  });

  it('answers nothing more after it was closed', async () => {
    const resolver = createSystemResolver();
    await resolver[Symbol.asyncDispose]();
    expect(await resolver.resolve('ci.example', 4)).toMatchObject({ addresses: [], errno: 'ECANCELLED' });
  });
});
