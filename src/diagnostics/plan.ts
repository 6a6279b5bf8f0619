import type { Finding } from '../api/doctor.ts';
import { BbxError } from '../base/error.ts';
import type { Problem } from '../config/problem.ts';
import { kindOf } from '../net/address-kind.ts';
import { parseAddress, printAddress, type Address } from '../net/endpoint/address.ts';
import { parseListen, printListen, type ListenAddress } from '../net/endpoint/listen-address.ts';
import type { Topic } from './check.ts';
import type { DirectoryFacts, MasterFacts, RoleFacts } from './directory.ts';
import { AUTO, type Family, type Intent } from './intent.ts';
import {
  HOST,
  type ListenerSubject,
  type SettingSubject,
  type Subject,
  type TargetProtocol,
  type TargetSubject,
} from './subject.ts';

/** What a call asks for, its words already read. */
export interface Question {
  readonly topic: Topic | undefined;
  /** `doctor ipv6 HOST[:PORT]`, `doctor reach HOST:PORT`. */
  readonly target?: Address;
  /** Without a port of its own (`doctor ipv6 HOST`), only the name and port 9989's path is in question. */
  readonly portGiven?: boolean;
  readonly protocol?: TargetProtocol;
  /** `doctor dns NAME`. */
  readonly name?: string;
  readonly server?: string;
  /** `--listen`, and the arguments of `doctor listen`; texts as they were written. */
  readonly listen?: readonly string[];
}

/** What is known of this machine before anything is asked. */
export interface Here {
  readonly directory: DirectoryFacts;
  /** Names that lead here and nowhere else, in small letters. */
  readonly ownNames: readonly string[];
  readonly ownAddresses: readonly string[];
}

export interface Plan {
  readonly intent: Intent;
  readonly subjects: readonly Subject[];
  readonly vantage: Finding['vantage'];
}

/** Which things a call is about, and what is meant of them. Pure. */
export function makePlan(question: Question, here: Here): Plan {
  const { master, worker } = here.directory;
  const subjects: Subject[] = [HOST];
  const named =
    question.target !== undefined || question.name !== undefined || (question.listen ?? []).length > 0;
  for (const text of question.listen ?? [])
    subjects.push(...givenListener(text, question.topic === 'listen' ? 'ADDR:PORT' : '--listen'));
  if (question.target !== undefined) subjects.push(...namedTarget(question, question.target, here));
  if (question.name !== undefined) subjects.push(nameTarget(question.name, question.server));
  if (!named) {
    subjects.push(...problemsOf(master, 'master'), ...problemsOf(worker, 'worker'));
    subjects.push(...settingsOf(here.directory));
    if (master?.config !== undefined) subjects.push(...listenersOf(master));
    const targets = [...workerTargets(worker, here), ...reachTargets(master, here)];
    subjects.push(...distinct(targets));
    if (question.topic === 'listen' && master === undefined)
      subjects.push(...['[::]:9989', 'localhost:8010'].flatMap((text) => givenListener(text, 'default')));
  }
  return { intent: intentOf(question.topic, master), subjects, vantage: vantageOf(here.directory) };
}

function intentOf(topic: Topic | undefined, master: MasterFacts | undefined): Intent {
  const declared = master?.config?.network.families ?? 'auto';
  const base: Intent =
    declared === 'auto'
      ? AUTO
      : { families: declared, insists: declared, source: 'network.families of master.yaml' };
  if (topic !== 'ipv6') return base;
  const with6 = (families: readonly Family[]) => [...new Set<Family>([...families, 6])];
  return { families: with6(base.families), insists: with6(base.insists), source: '"doctor ipv6"' };
}

function vantageOf({ master, worker }: DirectoryFacts): Finding['vantage'] {
  if (master !== undefined && worker === undefined) return 'master';
  if (worker?.config !== undefined && master === undefined) return `worker:${worker.config.name}`;
  return 'here';
}

/** A listener that a person named, and its text as a setting; a text that cannot be read is a setting alone. */
function givenListener(text: string, key: string): Subject[] {
  const setting: SettingSubject = { kind: 'setting', key, text, role: 'listen', source: 'command line' };
  const address = readListen(text);
  if (address === undefined || address.kind !== 'tcp') return [setting];
  return [
    setting,
    listenerOf(address, { plane: 'other', state: 'given', source: 'command line', reach: [], pins: [] }),
  ];
}

function readListen(text: string): ListenAddress | undefined {
  try {
    return parseListen(text, { defaultPort: 9989 });
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    return undefined;
  }
}

function listenerOf(
  address: Extract<ListenAddress, { kind: 'tcp' }>,
  rest: Pick<ListenerSubject, 'plane' | 'state' | 'source' | 'reach' | 'pins'>,
): ListenerSubject {
  return {
    kind: 'listener',
    text: printListen(address),
    hosts: address.host === 'localhost' ? ['::1', '127.0.0.1'] : [address.host],
    port: address.port,
    ...rest,
  };
}

function listenersOf(master: MasterFacts): Subject[] {
  const { config } = master;
  if (config === undefined) return [];
  const state = master.running ? 'running' : 'stopped';
  const pins = master.pin === undefined ? [] : [master.pin];
  const of = (addresses: readonly ListenAddress[], plane: 'worker' | 'web') =>
    addresses.flatMap((address) =>
      address.kind === 'tcp'
        ? [
            listenerOf(address, {
              plane,
              state,
              source: `${master.shown}/master configuration`,
              reach: config.reach.map(printAddress),
              pins,
            }),
          ]
        : [],
    );
  return [...of(config.listen.workers, 'worker'), ...of(config.listen.web, 'web')];
}

/** Mistakes of a configuration: an address's own text is read again, for a finding of its own; anything else stands as it is. */
function problemsOf(role: RoleFacts<unknown> | undefined, kind: 'master' | 'worker'): SettingSubject[] {
  if (role === undefined) return [];
  const whole = (source: string, problem: string): SettingSubject => ({
    kind: 'setting',
    key: kind,
    text: '',
    role: 'connect',
    source,
    problem,
  });
  const failure = role.failure === undefined ? [] : [whole(`${role.shown}/${kind}`, role.failure)];
  return [
    ...failure,
    ...role.problems
      .filter((problem) => problem.severity === 'error')
      .map((problem): SettingSubject => {
        const source = [problem.file, problem.line, problem.column].filter((part) => part !== null).join(':');
        const text = writtenAt(problem);
        const isListen = /^listen\b/.test(problem.path);
        if ((isListen || /^(reach|master)\b/.test(problem.path)) && text !== undefined)
          return { kind: 'setting', key: problem.path, text, role: isListen ? 'listen' : 'connect', source };
        return whole(
          source,
          `${problem.path === '' ? '' : `${problem.path}: `}${problem.message}${problem.fix === null ? '' : `; ${problem.fix}`}`,
        );
      }),
  ];
}

/** Addresses of a configuration that holds, in their printed form. */
function settingsOf({ master, worker }: DirectoryFacts): SettingSubject[] {
  const of = (key: string, role: SettingSubject['role'], source: string, texts: readonly string[]) =>
    texts.map((text): SettingSubject => ({ kind: 'setting', key, text, role, source }));
  const listens = master?.config?.listen;
  const masterFile = `${master?.shown ?? ''}/master configuration`;
  return [
    ...of('listen.workers', 'listen', masterFile, (listens?.workers ?? []).map(printListen)),
    ...of('listen.web', 'listen', masterFile, (listens?.web ?? []).map(printListen)),
    ...of('reach', 'connect', masterFile, (master?.config?.reach ?? []).map(printAddress)),
    ...of(
      'master',
      'connect',
      `${worker?.shown ?? ''}/worker.yaml`,
      (worker?.config?.master ?? []).map(printAddress),
    ),
  ];
}

/** The scalar that a problem points into, without its quotes. */
function writtenAt(problem: Problem): string | undefined {
  if (problem.source === null) return undefined;
  const quoted = /"([^"]*)"|'([^']*)'/g;
  for (const match of problem.source.matchAll(quoted)) {
    const end = match.index + match[0].length;
    if (problem.column !== null && problem.column >= match.index + 1 && problem.column <= end)
      return match[1] ?? match[2];
  }
  return /:\s+([^\s"'#,\]}]+)/.exec(problem.source)?.[1];
}

function namedTarget(question: Question, address: Address, here: Here): Subject[] {
  if (address.kind === 'unix') return [];
  const stated = here.directory.worker;
  // Named by hand, and yet this worker's own master: its key and pins are known.
  const own =
    stated?.config?.master.some((master) => printAddress(master) === printAddress(address)) === true
      ? stated
      : undefined;
  return [
    {
      kind: 'target',
      text: question.portGiven === false ? address.host : printAddress(address),
      host: address.host,
      port: question.portGiven === false ? undefined : address.port,
      protocol: question.protocol ?? 'bbx',
      plane: 'other',
      pins: own?.pins ?? [],
      ...(own?.config === undefined ? {} : { workerDir: own.dir, workerName: own.config.name }),
      source: 'command line',
    },
  ];
}

function nameTarget(name: string, server: string | undefined): TargetSubject {
  return {
    kind: 'target',
    text: name,
    host: name,
    port: undefined,
    protocol: 'tcp',
    plane: 'other',
    ...(server === undefined ? {} : { server }),
    pins: [],
    source: 'command line',
  };
}

/** Ways of the worker to its master. Behind hops only the hops could be tried, which this version does not make. */
function workerTargets(worker: DirectoryFacts['worker'], here: Here): TargetSubject[] {
  const config = worker?.config;
  if (worker === undefined || config === undefined || config.via.length > 0) return [];
  return config.master.flatMap((address): TargetSubject[] => {
    if (address.kind !== 'tcp') return [];
    return [
      {
        kind: 'target',
        text: printAddress(address),
        host: address.host,
        port: address.port,
        protocol: 'bbx',
        plane: 'worker',
        pins: worker.pins,
        workerDir: worker.dir,
        workerName: config.name,
        ...stoppedSibling(address.host, address.port, here),
        source: `${worker.shown}/worker.yaml`,
      },
    ];
  });
}

/** The master's own words of how workers come, looked at from its own host. */
function reachTargets(master: MasterFacts | undefined, here: Here): TargetSubject[] {
  if (master?.config === undefined) return [];
  return master.config.reach.flatMap((address): TargetSubject[] => {
    if (address.kind !== 'tcp') return [];
    return [
      {
        kind: 'target',
        text: printAddress(address),
        host: address.host,
        port: address.port,
        protocol: 'bbx',
        plane: 'worker',
        pins: master.pin === undefined ? [] : [master.pin],
        ...(master.running ? {} : stoppedSibling(address.host, address.port, here, true)),
        source: `${master.shown}/master configuration`,
      },
    ];
  });
}

/** Set when the address is that of a master beside us that does not run: then nobody can answer there, which is no news. */
function stoppedSibling(host: string, port: number, here: Here, own = false): { stopped?: string } {
  const master = here.directory.master ?? here.directory.beside;
  if (master?.config === undefined || master.running) return {};
  const local =
    own ||
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    kindOf(host) === 'loopback' ||
    here.ownNames.includes(host.toLowerCase()) ||
    here.ownAddresses.includes(host);
  const served = master.config.listen.workers.some(
    (address) => address.kind === 'tcp' && address.port === port,
  );
  return local && (served || own)
    ? { stopped: `the master in ${master.shown} does not run (bbx run master)` }
    : {};
}

/** One of each place; the first, which knows most of it, stays. */
function distinct(targets: readonly TargetSubject[]): TargetSubject[] {
  return targets.filter(
    (target, index) => targets.findIndex((other) => other.text === target.text) === index,
  );
}

/** `HOST[:PORT]`. Throws BBX-NET-ADDRESS. */
export function readTarget(text: string): { target: Address; portGiven: boolean } {
  const target = parseAddress(text);
  const printed = printAddress(parseAddress(text, { defaultPort: 1 }));
  return { target, portGiven: printed === printAddress(target) };
}
