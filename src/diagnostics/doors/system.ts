import { masterLayout, workerLayout } from '../../config/layout.ts';
import type { ClockMoves } from '../facts/clock.ts';
import type { LimitFacts, ProcessFact } from '../facts/limits.ts';
import type { FilterFacts, FilterQuestion } from '../facts/packet-filter.ts';
import type { PolicyFacts } from '../facts/policy.ts';
import type { Completion, Nat64Facts, OrderFacts, ResolverFacts } from '../facts/resolver.ts';
import type { RoomFacts } from '../facts/room.ts';
import type { ReverseFact } from '../facts/reverse.ts';
import type { NetworkFacts, ServiceFacts } from '../facts/service.ts';
import { once } from '../asking.ts';
import { nameOf, type ProgramSubject } from '../subject.ts';
import { holderOf, readLimits, readProcess } from './limits.ts';
import { readPacketFilter } from './packet-filter.ts';
import { markClocks, readClockMoves, type ClockMark } from './clock-moves.ts';
import { readPolicy } from './policy.ts';
import { readRoom } from './room.ts';
import { readReverse } from './reverse.ts';
import { readNetwork, readService } from './service.ts';
import { readCompletions, readNat64, readOrder, readResolver } from './resolver.ts';

/** Doors to the system's own settings, and to what its resolver makes of them. */
export interface SystemProbes {
  /** resolv.conf and nsswitch.conf. */
  resolver(): Promise<ResolverFacts>;
  /** gai.conf, and options of Node. */
  policy(): Promise<PolicyFacts>;
  /** Asks each nameserver who translates for hosts without IPv4. */
  nat64(): Promise<Nat64Facts>;
  /** What the search list makes of a name. */
  completions(name: string): Promise<readonly Completion[]>;
  /** What DNS calls an address, and whether that leads back. */
  reverse(address: string): Promise<ReverseFact>;
  /** Both families in one lookup. */
  order(name: string): Promise<OrderFacts>;
  /** Ports, the packet filter's table, the kernel's settings of TCP. */
  limits(): Promise<LimitFacts>;
  /** This process: what is started from the same shell gets the same. */
  ownProcess(): Promise<ProcessFact | undefined>;
  /** The process of a program that runs; undefined where it cannot be seen. */
  process(program: ProgramSubject): Promise<ProcessFact | undefined>;
  /** What systemd says of the unit that runs a program. */
  service(program: ProgramSubject): Promise<ServiceFacts>;
  /** Whether a program that runs has this process's network. */
  network(program: ProgramSubject): Promise<NetworkFacts>;
  /** Limits of the groups that a process is in. */
  room(where: string, pid: number): Promise<RoomFacts>;
  /** What happened to this host's clocks since the call began, and since the host started. */
  clockMoves(): Promise<ClockMoves>;
  /** What the packet filter of this host does with first packets. */
  packetFilter(questions: readonly FilterQuestion[]): Promise<FilterFacts>;
}

/** The real ones; each thing is asked once. */
export function createSystemProbes(options: {
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
  /** Clocks when the call began, where that was before these probes: a watch looks many times. */
  began?: ClockMark | undefined;
}): SystemProbes {
  const { signal, env, began = markClocks() } = options;
  const onceResolver = once<ResolverFacts>();
  const oncePolicy = once<PolicyFacts>();
  const onceNat64 = once<Nat64Facts>();
  const onceCompletions = once<readonly Completion[]>();
  const onceReverse = once<ReverseFact>();
  const onceOrder = once<OrderFacts>();
  const onceLimits = once<LimitFacts>();
  const onceService = once<ServiceFacts>();
  const onceProcess = once<ProcessFact | undefined>();
  const probes: SystemProbes = {
    resolver: () => onceResolver('', () => readResolver()),
    policy: () => oncePolicy('', () => readPolicy(env)),
    nat64: () => onceNat64('', () => readNat64(signal)),
    completions: (name) => onceCompletions(name, () => readCompletions(name, signal)),
    reverse: (address) => onceReverse(address, () => readReverse(address, signal)),
    order: (name) => onceOrder(name, () => readOrder(name, signal)),
    limits: () => onceLimits('', () => readLimits()),
    ownProcess: () => onceProcess('self', () => readProcess('self', 'this shell')),
    process: (program) =>
      onceProcess(program.dir, async () => {
        const { lock } = program.role === 'master' ? masterLayout(program.dir) : workerLayout(program.dir);
        const pid = await holderOf(lock);
        return pid === undefined ? undefined : readProcess(pid, nameOf(program));
      }),
    service: (program) =>
      onceService(program.dir, async () => {
        const running = program.running === true ? await probes.process(program) : undefined;
        return readService(program, running?.unit ?? null, { signal });
      }),
    // One check asks it, once a program.
    network: (program) => readNetwork(program),
    room: (where, pid) => readRoom(pid, where),
    clockMoves: async () => readClockMoves(began),
    // One check asks it, once a run.
    packetFilter: (questions) => readPacketFilter(questions, signal),
  };
  return probes;
}
