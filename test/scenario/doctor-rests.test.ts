import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { DoctorReport } from '../../src/api/doctor.ts';
import { createLinkProbes } from '../../src/diagnostics/doors/links.ts';
import { openProbeListener } from '../../src/diagnostics/doors/probe-listener.ts';
import { tryAddress } from '../../src/net/try-address.ts';
import { bbx } from '../rigs/bbx.ts';
import { tried, target } from '../unit/diagnostics/recorded.ts';

/**
 * A middlebox that forgets a connection after `restMs` without a byte: what comes later is dropped, and nobody is told. It begins to when
 * it has carried `afterBytes`, so that a busy machine's pauses before that are no rest.
 */
async function forgetful(to: number, restMs: number, afterBytes = 0) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ host: '::1', port: to });
    let forgotten = false;
    let carried = 0;
    const timer = setTimeout(() => (forgotten = carried >= afterBytes), restMs);
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined).on('close', () => into.destroy());
      from.on('data', (bytes: Buffer) => {
        if (forgotten) return;
        carried += bytes.length;
        timer.refresh();
        into.write(bytes);
      });
    }
  });
  server.listen({ host: '::1', port: 0 });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const open = () =>
  openProbeListener({
    addresses: [{ kind: 'tcp', host: '::1', port: 0 }],
    software: 'test',
    onEvent: () => undefined,
  });
const portOf = ({ bound }: { bound: readonly string[] }) => Number(/:(\d+)$/.exec(bound[0] ?? '')?.[1]);

describe('a middlebox that forgets connections that rest', () => {
  it('is found by the short form where it forgets within a moment', async () => {
    await using listener = await open();
    await using box = await forgetful(portOf(listener), 120, 170_000);
    const ran = await bbx(['doctor', 'reach', `[::1]:${box.port}`, '--json'], { cwd: '/' });
    const { findings } = ran.json<DoctorReport>();
    const grave = findings.filter(({ status }) => status === 'error' || status === 'warn');
    expect(grave.map(({ id }) => id)).toEqual(['PRO-09']);
    expect(grave[0]?.title).toContain('dies while it rests');
    expect(ran.code).toBe(1);
  });

  it('is found by the long form, which names the longest rest that is survived', async () => {
    await using listener = await open();
    await using box = await forgetful(portOf(listener), 900);
    const { signal } = new AbortController();
    const subject = target(`[::1]:${box.port}`, { port: box.port });
    const probes = createLinkProbes({
      signal,
      software: 'test',
      rests: [0.3, 2],
      path: async () => ({
        at: '',
        attempts: [tried('::1', 'connected', { port: box.port })],
        listensHere: null,
      }),
      connect: async (address, port) => {
        await tryAddress(address, port, { limitMs: 1_000, signal });
        return tried(address, 'connected', { port });
      },
      gate: () => (work) => work(),
      seen: () => undefined,
      seenHandshakes: () => undefined,
    });
    const rests = (await probes.rests(subject)) ?? [];
    expect(rests.map(({ seconds, first, alive }) => `${seconds} ${first} ${String(alive)}`)).toEqual([
      '0.3 master true',
      '0.3 worker true',
      '2 master false',
      '2 worker false',
    ]);
  });
});
