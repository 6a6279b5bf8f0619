import { describe, expect, it } from 'vitest';
import { canUseControlSocket } from '../../../../../src/runtime/master/workers/neighbour.ts';

const here = { addresses: new Set(['::1', '127.0.0.1', '2001:db8::2']), uid: 1000 };

describe('whether builds can use the control socket of their master', () => {
  it.each<[title: string, peer: string, uid: string, expected: boolean]>([
    ['a worker of the same user over loopback', '[::1]:4711', '1000', true],
    ['one over the host’s own address', '[2001:db8::2]:4711', '1000', true],
    ['one over IPv4 that arrives on a dual-stack socket', '[::ffff:127.0.0.1]:4711', '1000', true],
    ['builds that run as root', '127.0.0.1:4711', '0', true],
    ['another user', '[::1]:4711', '1001', false],
    ['another host', '[2001:db8::3]:4711', '1000', false],
    ['a worker that does not say as whom', '[::1]:4711', '', false],
  ])('%s', (_title, peer, uid, expected) => {
    expect(canUseControlSocket({ peer, facts: { uid } }, here)).toBe(expected);
  });
});
