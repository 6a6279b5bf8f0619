import type { ChatSubject, MailSubject, SourceSubject, StatusSubject } from './far-subjects.ts';
import type { Finding } from '../api/doctor.ts';
import type { Hop } from '../net/endpoint/hop.ts';
import { isStock, stockName, type StockSubject } from './stock-subject.ts';

/** The host itself: kernel, addresses, routes. */
export interface HostSubject {
  readonly kind: 'host';
}

/** An address that something listens on, or is meant to. */
export interface ListenerSubject {
  readonly kind: 'listener';
  /** As it was written. */
  readonly text: string;
  readonly plane: 'worker' | 'web' | 'other';
  /** Addresses that it means: `::` alone takes both families; `localhost` is both loopback addresses. */
  readonly hosts: readonly string[];
  readonly port: number;
  /** `running`: it must be there. `stopped`: its owner does not run, so its port must be free. `given`: named by the person, either will do. */
  readonly state: 'running' | 'stopped' | 'given';
  /** How workers get here, as the configuration says; empty where it does not. */
  readonly reach: readonly string[];
  /** The farm's own key (`sha256:…`), where known. */
  readonly pins: readonly string[];
  readonly source: string;
  /** The directory of bbx's that says so, as people would type it; undefined: the command line, or stock Buildbot. */
  readonly dir?: string;
  /** All addresses of the setting that it is one of, itself among them, as they are written there; undefined: there is no such setting. */
  readonly listed?: readonly string[];
}

/** What is expected to answer; `tls`: whatever it is, inside TLS. */
export type TargetProtocol = 'bbx' | 'pb' | 'msgpack' | 'http' | 'tls' | 'tcp';

/** Somewhere to connect to: a name or literal, and, unless only the name is in question, a port. */
export interface TargetSubject {
  readonly kind: 'target';
  readonly text: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly protocol: TargetProtocol;
  readonly plane: 'worker' | 'web' | 'other';
  /** A nameserver to ask instead of the system's, `192.0.2.53` or `[2001:db8::53]:5353`. */
  readonly server?: string;
  /** Hops on the way; undefined: none. Checks that do not say so are not asked of what stands behind hops. */
  readonly via?: readonly Hop[];
  /** The worker path of a web port, inside HTTP and maybe TLS. */
  readonly web?: { readonly secure: boolean; readonly path: string };
  /** The name that the certificate must have, and the authorities to trust, where they are not the usual ones. */
  readonly tls?: { readonly name?: string; readonly ca?: { readonly file: string; readonly pem: string } };
  /** Keys of the master to accept; empty: any. */
  readonly pins: readonly string[];
  /** The worker's directory whose key proves who asks, for PRO-05. */
  readonly workerDir?: string;
  readonly workerName?: string;
  /** Set when the other end is a master of this machine that does not run, so that a refusal is no news. */
  readonly stopped?: string;
  /** Where it was looked at from, where that is not where this run is. */
  readonly vantage?: Finding['vantage'];
  readonly source: string;
}

/** One value of a configuration file or of the command line, as it was written. */
export interface SettingSubject {
  readonly kind: 'setting';
  /** `listen.workers`, `--listen`. */
  readonly key: string;
  readonly text: string;
  readonly role: 'listen' | 'connect';
  /** `master.yaml:3:12`, or where else it came from. */
  readonly source: string;
  /** What the configuration's own check says of the file, where it says anything. */
  readonly problem?: string;
  /** What it says of this value, which the grammar of addresses may well take. */
  readonly refusal?: string;
  /** The command that looks at the file again, where there is one. */
  readonly recheck?: string;
  /** The file did not come in time. */
  readonly unread?: true;
  /** Where the text stands, without its quotes, in a file that can be changed. */
  readonly place?: SettingPlace;
}

export interface SettingPlace {
  /** Absolute path. */
  readonly file: string;
  readonly shown: string;
  /** From 1, the column in characters. */
  readonly line: number;
  readonly column: number;
  /** The text stands in quotes. */
  readonly quoted: boolean;
}

/** The program of a directory: whether it runs, and whether it could. */
export interface ProgramSubject {
  readonly kind: 'program';
  readonly role: 'master' | 'worker';
  readonly dir: string;
  /** As people would type it; `.` is the current directory. */
  readonly shown: string;
  /** Undefined where this user cannot see it. */
  readonly running: boolean | undefined;
  /** The user that its builds are to run as; null: the worker's own. */
  readonly runAs: string | null;
  /** Parts of the directory that need room on a disk; no path twice. */
  readonly parts: readonly { readonly name: string; readonly path: string }[];
  /** Address of a master's store; null where there is none, or none that could be read. */
  readonly store: string | null;
}

export type Subject =
  | HostSubject
  | ListenerSubject
  | TargetSubject
  | SettingSubject
  | ProgramSubject
  | StockSubject
  | SourceSubject
  | MailSubject
  | StatusSubject
  | ChatSubject;
export type SubjectKind = Subject['kind'];

/** This host itself; every run looks at it. */
export const HOST: HostSubject = { kind: 'host' };

/** A target whose name and addresses are looked up and tried elsewhere. */
export function isBehindHops(subject: Subject): boolean {
  return subject.kind === 'target' && subject.via !== undefined;
}

/** The targets that this host itself looks up and connects to. */
export function directTargets(subjects: readonly Subject[]): TargetSubject[] {
  return subjects.filter((subject) => subject.kind === 'target').filter(({ via }) => via === undefined);
}

/** What a finding names as its target. */
export function nameOf(subject: Subject): string {
  if (subject.kind === 'host') return 'this host';
  if (subject.kind === 'setting') return `${subject.key}: ${JSON.stringify(subject.text)}`;
  if (subject.kind === 'program') return `the ${subject.role} in ${subject.shown}`;
  if (isStock(subject)) return stockName(subject);
  return subject.text;
}
