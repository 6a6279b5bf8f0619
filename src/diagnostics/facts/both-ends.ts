import type { TargetSubject } from '../subject.ts';
import type { LinkFact } from './links.ts';
import type { NameFacts } from './names.ts';
import type { PathFacts, PeerFact } from './paths.ts';

/** What the master saw of a worker's tries at one address. */
export interface Reception {
  readonly address: string;
  /** Connections that came whole. */
  readonly accepted: readonly string[];
  /** Connections of which only the first packet came; null where that cannot be seen. */
  readonly halfOpen: readonly string[] | null;
  /** Something listens there for this address. */
  readonly bound: boolean;
}

/** The far end of a target: what arrived there meanwhile. */
export interface OtherEnd {
  readonly worker: string;
  readonly receptions: readonly Reception[];
}

/** One way of a worker as it tried it, and as its master saw that. */
export interface BothEnds {
  readonly target: TargetSubject;
  readonly name: NameFacts;
  readonly path: PathFacts;
  readonly peers: readonly PeerFact[];
  readonly links: readonly LinkFact[];
  readonly other: OtherEnd;
}
