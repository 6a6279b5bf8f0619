import { parseAddress, printAddress, type Address } from '../../net/endpoint/address.ts';
import type { Checkout } from '../doors/sources.ts';
import type { Topic } from '../check.ts';
import type { DirectoryFacts } from '../directory.ts';
import type { BothEnds } from '../facts/both-ends.ts';
import type { SshWay } from '../facts/sources.ts';
import type { StockFacts } from '../facts/stock.ts';
import type { ProxySetting } from '../facts/ways.ts';
import type { Hop } from '../../net/endpoint/hop.ts';
import type { TargetProtocol, TargetSubject } from '../subject.ts';

/** What a call asks for, its words already read. */
export interface Question {
  readonly topic: Topic | undefined;
  /** `doctor ipv6 HOST[:PORT]`, `doctor reach HOST:PORT`. */
  readonly target?: Address;
  /** Without a port of its own (`doctor ipv6 HOST`), only the name and port 9989's path is in question. */
  readonly portGiven?: boolean;
  readonly protocol?: TargetProtocol;
  /** The target is a mail server. */
  readonly mail?: boolean;
  /** `--via`, in order. */
  readonly via?: readonly Hop[];
  /** `--name` and `--ca` of `doctor tls`. */
  readonly tls?: TargetSubject['tls'];
  /** `doctor dns NAME`. */
  readonly name?: string;
  readonly server?: string;
  /** `--listen`, and the arguments of `doctor listen`; texts as they were written. */
  readonly listen?: readonly string[];
  /** Key that alone will do (`--token`), `sha256:…`. */
  readonly pin?: string;
  /** `--soak`: connections are let rest for minutes. */
  readonly soak?: boolean;
  /** `--from`: the machine from which the target is looked at. */
  readonly from?: Extract<Hop, { kind: 'ssh' }>;
  /** `doctor path WORKER`, `doctor source --worker WORKER`. */
  readonly worker?: string;
  /** `doctor config PATH …`, as they were written. */
  readonly paths?: readonly string[];
  /** `--exec-config`: configuration files of stock masters are run. */
  readonly execConfig?: boolean;
  /** `doctor ipv6 --stock DIR`: a directory of stock Buildbot's. */
  readonly stock?: string;
  /** `--reach` of it: names or addresses that its workers dial. */
  readonly reach?: readonly string[];
  /** `doctor source URL …`, as they were written. */
  readonly urls?: readonly string[];
}

/** What is known of this machine before anything is asked. */
export interface Here {
  readonly directory: DirectoryFacts;
  /** Directories of `doctor config PATH …` beyond the first. */
  readonly others?: readonly DirectoryFacts[];
  /** Files of stock Buildbot, where the call is about them. */
  readonly stock?: StockFacts;
  /** Names that lead here and nowhere else, in small letters. */
  readonly ownNames: readonly string[];
  readonly ownAddresses: readonly string[];
  /** Repositories that the worker has checked out; only looked for where sources are in question. */
  readonly checkouts?: readonly Checkout[];
  /** Where ssh goes for repositories, by their URLs; without those to which it goes as written. */
  readonly sshWays?: ReadonlyMap<string, SshWay>;
  /** Where files are that were not read in time. */
  readonly unread?: string;
  /** What a worker tried, and its master saw, where the call is about that. */
  readonly ends?: readonly BothEnds[];
  /** Proxies that the environment names, where the call is about those. */
  readonly proxies?: readonly ProxySetting[];
}

/** `HOST[:PORT]`; 9989 is the port where `defaultPort` names no other. Throws BBX-NET-ADDRESS. */
export function readTarget(text: string, defaultPort?: number): { target: Address; portGiven: boolean } {
  const target = parseAddress(text, defaultPort === undefined ? {} : { defaultPort });
  const printed = printAddress(parseAddress(text, { defaultPort: 1 }));
  return { target, portGiven: printed === printAddress(target) };
}
