import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LIMITS } from '../../src/protocol/bbx/limits.ts';
import { cuttableRelay, type CuttableRelay } from '../rigs/cuttable-relay.ts';
import { startFarm } from '../rigs/farm.ts';

/** What one does to a link so that nobody is told: four ways for it to be dead. */
const WAYS: Record<string, (relay: CuttableRelay) => void> = {
  unplugged: (relay) => relay.unplug(),
  'deaf-master': (relay) => relay.swallow('far'),
  'deaf-worker': (relay) => relay.swallow('near'),
  'half-open-worker': (relay) => relay.halfOpen('far'),
  'half-open-master': (relay) => relay.halfOpen('near'),
};
/** A side that looks this late has waited for something else than its own clock; two busy cores are between. */
const LATE_S = 3;

/** Seconds from the last moment of the link until each side knew, with the real times of the protocol. */
it('a dead link is noticed by both sides within 35 s, whichever way it died', async () => {
  await using stack = new AsyncDisposableStack();
  const names = Object.keys(WAYS);
  const relays = new Map<string, CuttableRelay>();
  for (const name of names) relays.set(name, stack.use(await cuttableRelay()));
  await using farm = await startFarm({ config: 'builders: {}\nworkers: {}\n' });
  for (const name of names) {
    const relay = relays.get(name)!;
    relay.target = farm.address;
    await farm.startWorker(name, relay.address);
  }
  const cutAt = Date.now() / 1000;
  for (const name of names) WAYS[name]!(relays.get(name)!);

  const master = new Map<string, number>();
  const worker = new Map<string, number>();
  const limit = LIMITS.silenceMs / 1000 + LATE_S;
  while (
    Date.now() / 1000 - cutAt < limit + LATE_S &&
    (master.size < names.length || worker.size < names.length)
  ) {
    await delay(500);
    const seen = await farm.client.call('workers', {});
    for (const { name, connected, last_seen_at } of seen) {
      if (master.has(name)) continue;
      if (!connected) master.set(name, (last_seen_at ?? 0) - cutAt);
      // One that noticed at once is back at once: then the new session is the master's notice of the old one's end.
      const { link } = await farm.client.call('worker', { params: { worker: name } });
      if (connected && (link?.since ?? 0) > cutAt) master.set(name, link!.since! - cutAt);
    }
    for (const name of names) {
      const lines = (await readFile(join(farm.dir, name, '.bbx', 'link.jsonl'), 'utf8')).trim().split('\n');
      const down = lines
        .map((line) => JSON.parse(line) as { at: number; fact?: { kind: string } })
        .find(({ fact }) => fact?.kind === 'down');
      if (down !== undefined && !worker.has(name)) worker.set(name, down.at - cutAt);
    }
  }
  const noticed = Object.fromEntries(
    names.map((name) => [
      name,
      { master: master.get(name) ?? Infinity, worker: worker.get(name) ?? Infinity },
    ]),
  );
  for (const [name, sides] of Object.entries(noticed)) {
    expect(sides.worker, `${name}: the worker, of ${JSON.stringify(noticed)}`).toBeLessThan(limit);
    expect(sides.master, `${name}: the master, of ${JSON.stringify(noticed)}`).toBeLessThan(limit);
  }
});
