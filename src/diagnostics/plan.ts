import type { Finding } from '../api/doctor.ts';
import type { Topic } from './check.ts';
import type { DirectoryFacts, MasterFacts } from './directory.ts';
import { AUTO, type Family, type Intent } from './intent.ts';
import { givenListener, listenersOf } from './plan/listeners.ts';
import type { Here, Question } from './plan/question.ts';
import { programsOf } from './plan/programs.ts';
import { problemsOf, settingsOf, unread } from './plan/settings.ts';
import { mailSubjects, publicSubject } from './plan/mail.ts';
import { sourcesInQuestion, targetOf } from './plan/sources.ts';
import { stockPlaces, stockServices, stockSubjects } from './plan/stock.ts';
import {
  distinct,
  namedTarget,
  nameTarget,
  proxyTargets,
  reachTargets,
  workerTargets,
} from './plan/targets.ts';
import { HOST, type Subject } from './subject.ts';

export interface Plan {
  readonly intent: Intent;
  readonly subjects: readonly Subject[];
  readonly vantage: Finding['vantage'];
}

/** Which things a call is about, and what is meant of them. Pure. */
export function makePlan(question: Question, here: Here): Plan {
  const { master, worker } = here.directory;
  // This host is the master's; of the worker's, nothing is known but what it told.
  if (here.ends !== undefined) {
    const subjects = [
      ...(master === undefined ? [] : listenersOf(master)),
      ...here.ends.map(({ target }) => target),
    ];
    return { intent: intentOf(question.topic, master), subjects, vantage: 'master' };
  }
  const subjects: Subject[] = [HOST];
  const named =
    question.target !== undefined ||
    question.name !== undefined ||
    question.stock !== undefined ||
    [question.listen, question.urls].some((words) => (words ?? []).length > 0);
  if (here.unread !== undefined) subjects.push(unread(here.unread));
  for (const text of question.listen ?? [])
    subjects.push(...givenListener(text, question.topic === 'listen' ? 'ADDR:PORT' : '--listen'));
  if (question.target !== undefined) subjects.push(...namedTarget(question, question.target, here));
  if (question.name !== undefined) subjects.push(nameTarget(question.name, question.server));
  if (question.topic === 'source') {
    const sources = sourcesInQuestion(question, here);
    // What a worker sees of them, it tells of the sources themselves.
    subjects.push(...sources, ...(question.worker === undefined ? distinct(sources.flatMap(targetOf)) : []));
  } else if (question.topic === 'mail' || question.mail === true) {
    subjects.push(...mailSubjects(question));
    if (!named) subjects.push(...publicSubject(master));
    if (!named && here.stock !== undefined) subjects.push(...stockServices(here.stock));
  } else if (!named) {
    subjects.push(...problemsOf(master, 'master'), ...problemsOf(worker, 'worker'));
    subjects.push(...settingsOf(here.directory));
    if (master?.config !== undefined) subjects.push(...listenersOf(master));
    subjects.push(...programsOf(here.directory), ...publicSubject(master));
    const targets = [...workerTargets(worker, here), ...reachTargets(master, here)];
    // What is reached without a proxy is no matter of proxies.
    const proxied =
      worker?.config === undefined || worker.config.via.length === 0 ? [] : workerTargets(worker, here);
    subjects.push(
      ...distinct(question.topic === 'proxy' ? [...proxied, ...proxyTargets(here.proxies ?? [])] : targets),
    );
    if (question.topic === 'listen' && master === undefined)
      subjects.push(...['[::]:9989', 'localhost:8010'].flatMap((text) => givenListener(text, 'default')));
  }
  for (const other of here.others ?? [])
    subjects.push(
      ...problemsOf(other.master, 'master'),
      ...problemsOf(other.worker, 'worker'),
      ...settingsOf(other),
    );
  // Of files it is the files alone that are in question, of sources and mail the far ends that they name.
  if (here.stock !== undefined && question.topic !== 'source' && question.topic !== 'mail') {
    subjects.push(...stockSubjects(here.stock, question.reach));
    subjects.push(...sourcesInQuestion(question, here));
    if (question.topic !== 'config') subjects.push(...stockPlaces(here.stock));
  }
  const elsewhere = question.from?.host ?? question.worker;
  const vantage = elsewhere === undefined ? vantageOf(here.directory) : (`worker:${elsewhere}` as const);
  return { intent: intentOf(question.topic, master), subjects, vantage };
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
