import { kindOf } from '../../net/address-kind.ts';
import { printAddress, type Address } from '../../net/endpoint/address.ts';
import type { Hop } from '../../net/endpoint/hop.ts';
import type { DirectoryFacts, MasterFacts } from '../directory.ts';
import type { ProxySetting } from '../facts/ways.ts';
import { placeTarget } from '../place-target.ts';
import type { Subject, TargetSubject } from '../subject.ts';
import type { Here, Question } from './question.ts';

/** The place that a person named. */
export function namedTarget(question: Question, address: Address, here: Here): Subject[] {
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
      pins: question.pin === undefined ? (own?.pins ?? []) : [question.pin],
      ...(own?.config === undefined ? {} : { workerDir: own.dir, workerName: own.config.name }),
      ...(question.tls === undefined ? {} : { tls: question.tls }),
      ...behind(question.via ?? []),
      ...webOf(address),
      source: 'command line',
    },
    ...firstHop(question.via ?? [], '--via'),
  ];
}

function webOf(address: Address): Pick<TargetSubject, 'web'> {
  return address.kind === 'web-socket' ? { web: { secure: address.secure, path: address.path } } : {};
}

function behind(via: readonly Hop[]): Pick<TargetSubject, 'via'> {
  return via.length === 0 ? {} : { via };
}

/** The first hop is for this host to find and reach, as any target; ssh finds its own by its configuration. */
function firstHop([hop]: readonly Hop[], source: string): TargetSubject[] {
  if (hop === undefined || hop.kind === 'ssh') return [];
  return [placeTarget(hop.host, hop.port, source)];
}

/** Proxies that settings name. */
export function proxyTargets(settings: readonly ProxySetting[]): TargetSubject[] {
  return settings.flatMap(({ host, port, name, source }) =>
    host === null || port === null ? [] : [placeTarget(host, port, `${name} of ${source}`)],
  );
}

/** A name alone, without a port. */
export function nameTarget(name: string, server: string | undefined): TargetSubject {
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

/** Ways of the worker to its master, and the first hop of it where there are hops. */
export function workerTargets(worker: DirectoryFacts['worker'], here: Here): TargetSubject[] {
  const config = worker?.config;
  if (worker === undefined || config === undefined) return [];
  const masters = config.master.flatMap((address): TargetSubject[] => {
    if (address.kind === 'unix') return [];
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
        ...(config.via.length > 0 ? { via: config.via } : stoppedSibling(address.host, address.port, here)),
        ...webOf(address),
        source: `${worker.shown}/worker.yaml`,
      },
    ];
  });
  return [...masters, ...firstHop(config.via, `${worker.shown}/worker.yaml`)];
}

/** The master's own words of how workers come, looked at from its own host. */
export function reachTargets(master: MasterFacts | undefined, here: Here): TargetSubject[] {
  if (master?.config === undefined) return [];
  return master.config.reach.flatMap((address): TargetSubject[] => {
    if (address.kind === 'unix') return [];
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
        ...webOf(address),
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
  const served = [...master.config.listen.workers, ...master.config.listen.web].some(
    (address) => address.kind === 'tcp' && address.port === port,
  );
  return local && (served || own) ? { stopped: 'RUN-01: its master does not run' } : {};
}

/** One of each place; the first, which knows most of it, stays. */
export function distinct(targets: readonly TargetSubject[]): TargetSubject[] {
  return targets.filter(
    (target, index) => targets.findIndex((other) => other.text === target.text) === index,
  );
}
