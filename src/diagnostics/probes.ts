import type { DiskFacts } from './facts/disks.ts';
import type { HostFacts, SourceFact } from './facts/host.ts';
import type { ListenerFacts } from './facts/listeners.ts';
import type { NameFacts } from './facts/names.ts';
import type { AuthenticationFact, PathFacts, PeerFact } from './facts/paths.ts';
import type { RunAsFacts } from './facts/run-as.ts';
import type { StoreFacts } from './facts/store.ts';
import type { LinkProbes } from './doors/links.ts';
import type { FarProbes } from './doors/far.ts';
import type { OwnProbes } from './doors/own.ts';
import type { SystemProbes } from './doors/system.ts';
import type { TroubleProbes } from './doors/trouble.ts';
import type { ListenerSubject, ProgramSubject, TargetSubject } from './subject.ts';
import type { WayProbes } from './doors/way-probes.ts';

/**
 * The doors through which facts come, each thing asked once in a run however many checks want it. They never reject for trouble of
 * the network, which is their answer; only a fault of bbx or the signal's abort does that. All are read-only, and at most four of
 * them connect to one target at a time.
 */
export interface Probes extends SystemProbes, FarProbes, LinkProbes, WayProbes, TroubleProbes, OwnProbes {
  host(): Promise<HostFacts>;
  /** `server`: ask this nameserver instead of the system's. */
  name(host: string, server?: string): Promise<NameFacts>;
  /** Source addresses toward literals; sends nothing. */
  sources(addresses: readonly string[]): Promise<readonly SourceFact[]>;
  listener(listener: ListenerSubject): Promise<ListenerFacts>;
  /** Who answers on the listener's own addresses, over each family. */
  listenerPeers(listener: ListenerSubject): Promise<readonly PeerFact[]>;
  path(target: TargetSubject): Promise<PathFacts>;
  /** Who answers at every address that connects. */
  peers(target: TargetSubject): Promise<readonly PeerFact[]>;
  /** Undefined where the program runs its builds as nobody else. */
  runAs(program: ProgramSubject): Promise<RunAsFacts | undefined>;
  /** The disks that hold the parts of a program's directory. */
  disks(program: ProgramSubject): Promise<DiskFacts>;
  /** Undefined where there is nothing to ask. */
  store(program: ProgramSubject): Promise<StoreFacts | undefined>;
  /** Undefined when the worker has no key yet. */
  authenticate(target: TargetSubject): Promise<AuthenticationFact | undefined>;
}
