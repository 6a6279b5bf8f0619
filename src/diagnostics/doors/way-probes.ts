import { within } from '../../base/abort.ts';
import { familyOf } from '../../net/endpoint/host.ts';
import type { TimeSyncFacts } from '../facts/clock.ts';
import { covers } from '../facts/listeners.ts';
import { candidates, type NameFacts } from '../facts/names.ts';
import type { Attempt, PathFacts } from '../facts/paths.ts';
import type { KeyFilesFacts, TlsFacts } from '../facts/tls.ts';
import type { FamilyWay, HolderFacts, ProxySettingsFacts, WayFacts } from '../facts/ways.ts';
import { once } from '../asking.ts';
import type { ProgramSubject, TargetSubject } from '../subject.ts';
import { readTimeSync } from './clock.ts';
import { readRows } from './listeners.ts';
import { readProxySettings } from './proxies.ts';
import { nameWanted, readKeyFiles, readTls } from './tls.ts';
import { readWay } from './ways.ts';

/** For a name that only the proxy need know. */
const NAME_MS = 2_000;

/** Doors about what lies between: TLS, proxies and hops, the clock. */
export interface WayProbes {
  /** A handshake with every address that connects. */
  tls(target: TargetSubject): Promise<TlsFacts>;
  /** The way through the hops of a target. */
  way(target: TargetSubject): Promise<WayFacts>;
  /** The same way to an address of each family, where the last hop is an HTTP proxy and the target's name is published for both. */
  familyWays(target: TargetSubject): Promise<readonly FamilyWay[]>;
  /** Who holds the port of a target on this host's own loopback; undefined where it is elsewhere or cannot be seen. */
  holder(target: TargetSubject): Promise<HolderFacts | undefined>;
  /** Settings that send programs to a proxy: those of this process, and of the programs that run. */
  proxySettings(programs: readonly ProgramSubject[]): Promise<ProxySettingsFacts>;
  timeSync(): Promise<TimeSyncFacts>;
  keyFiles(program: ProgramSubject): Promise<KeyFilesFacts>;
}

export interface WayDoor {
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
  /** One connection's own deadline; a handshake has as long again. */
  connectMs: number;
  path(target: TargetSubject): Promise<PathFacts>;
  name(host: string): Promise<NameFacts>;
  /** Lets a few at a time in, to one target. */
  through<Value>(target: TargetSubject, work: () => Promise<Value>): Promise<Value>;
  /** Told of what was learned, for the verdicts. */
  onWay(target: TargetSubject, facts: WayFacts): void;
  onTls(target: TargetSubject, facts: TlsFacts): void;
}

export function createWayProbes(door: WayDoor): WayProbes {
  const { signal, env, connectMs } = door;
  const onceTls = once<TlsFacts>();
  const onceWay = once<WayFacts>();
  const onceFamilies = once<readonly FamilyWay[]>();
  const onceHolder = once<HolderFacts | undefined>();
  const onceSettings = once<ProxySettingsFacts>();
  const onceSync = once<TimeSyncFacts>();
  const key = (target: TargetSubject) => `${target.text} ${target.protocol}`;
  const open = async (target: TargetSubject): Promise<readonly Attempt[]> =>
    (await door.path(target)).attempts.filter(({ outcome }) => outcome === 'connected');

  return {
    tls: (target) =>
      onceTls(key(target), async () => {
        const at = new Date().toISOString();
        const attempts = await open(target);
        const addresses = await Promise.all(
          attempts.map(({ address }) =>
            door.through(target, () => readTls(target, address, { limitMs: connectMs, signal })),
          ),
        );
        const ca = target.tls?.ca?.file ?? null;
        const facts = { at, now: Date.now(), name: nameWanted(target), ca, addresses };
        door.onTls(target, facts);
        return facts;
      }),
    way: (target) =>
      onceWay(key(target), async () => {
        const facts = await readWay(target, { signal, env, limitMs: connectMs });
        door.onWay(target, facts);
        return facts;
      }),
    familyWays: (target) =>
      onceFamilies(key(target), async () => {
        if (target.via?.at(-1)?.kind !== 'http' || target.web !== undefined || familyOf(target.host) !== 0)
          return [];
        // Where the proxy alone looks names up, this host's nameservers may be silent about them.
        const name = await within(door.name(target.host), NAME_MS, signal);
        const addresses = name === undefined ? [] : candidates(name);
        const oneEach = ([6, 4] as const).flatMap((family) =>
          addresses.filter((address) => familyOf(address) === family).slice(0, 1),
        );
        if (oneEach.length < 2) return [];
        return Promise.all(
          oneEach.map(async (address): Promise<FamilyWay> => ({
            family: familyOf(address) === 6 ? 6 : 4,
            address,
            way: await readWay({ ...target, host: address }, { signal, env, limitMs: connectMs }),
          })),
        );
      }),
    holder: (target) =>
      onceHolder(key(target), async () => {
        const at = new Date().toISOString();
        const attempts = await open(target);
        const rows = await readRows(target.port ?? 0);
        if (rows === undefined || attempts.length === 0) return undefined;
        const own = attempts.every(({ address }) => address === '::1' || address.startsWith('127.'));
        if (!own) return undefined;
        const owners = rows
          .filter((row) => attempts.some(({ address }) => covers(row, address)))
          .flatMap(({ owner }) => owner ?? []);
        return { at, owners: [...new Set(owners)] };
      }),
    proxySettings: (programs) => onceSettings('settings', () => readProxySettings(env, programs, signal)),
    timeSync: () => onceSync('clock', () => readTimeSync(env, signal)),
    // One check asks it, once a program.
    keyFiles: readKeyFiles,
  };
}
