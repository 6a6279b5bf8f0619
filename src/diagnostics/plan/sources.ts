import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { withoutCredentials } from '../../base/without-credentials.ts';
import { printHostPort } from '../../net/endpoint/host.ts';
import { parseRepository } from '../../net/endpoint/repository.ts';
import { sureValue } from '../../config/stock/written.ts';
import type { MasterFacts } from '../directory.ts';
import type { StockMasterFile } from '../facts/stock.ts';
import type { SourceSubject } from '../far-subjects.ts';
import type { TargetSubject } from '../subject.ts';
import type { Here, Question } from './question.ts';
import { placeTarget } from '../place-target.ts';

/** A repository by its URL. */
export function repositorySubject(
  url: string,
  more: Pick<SourceSubject, 'source'> & Partial<SourceSubject>,
): SourceSubject {
  const place = parseRepository(url);
  return {
    kind: 'source',
    text: withoutCredentials(url),
    what: 'repository',
    url: place.kind === 'fault' ? null : url,
    host: place.kind === 'remote' ? place.host : null,
    port: place.kind === 'remote' ? place.port : null,
    ssh: null,
    problem: place.kind === 'fault' ? place.problem : null,
    write: place.kind === 'fault' && place.write !== null ? withoutCredentials(place.write) : null,
    builders: [],
    credentials: false,
    copies: place.kind === 'local' ? [url.replace(/^file:\/\//, '')] : [],
    ...more,
  };
}

/** The sources that a call is about: those that it names, else all that the directory's builds fetch from. */
export function sourcesInQuestion(question: Question, here: Here): SourceSubject[] {
  const { topic, urls = [] } = question;
  const isAsked = topic === 'source' || (topic === 'ipv6' && here.stock !== undefined);
  if (!isAsked) return [];
  const given =
    topic === 'source' ? urls.map((url) => repositorySubject(url, { source: 'command line' })) : [];
  return (given.length > 0 ? given : sourcesOf(here)).map((source) => ledBySsh(source, here));
}

/** Where ssh's own configuration leads, there one connects. */
function ledBySsh(source: SourceSubject, { sshWays }: Here): SourceSubject {
  const way = source.url === null ? undefined : sshWays?.get(source.url);
  if (way === undefined) return source;
  const isThrough = way.through !== null;
  return { ...source, ssh: way, host: isThrough ? null : way.host, port: isThrough ? null : way.port };
}

/** All that the directory's builds fetch from, each place once. */
function sourcesOf({ directory, checkouts = [], stock }: Here): SourceSubject[] {
  const { master } = directory;
  const all = [
    ...(master === undefined ? [] : masterSources(master)),
    ...checkouts.map(({ url, dir, builder }) =>
      repositorySubject(url, { source: `checkout of ${builder}`, builders: [builder], copies: [dir] }),
    ),
    ...(stock?.masters ?? []).flatMap(stockSources),
  ];
  const known = new Map<string, SourceSubject>();
  for (const one of all) {
    const before = known.get(one.text);
    known.set(
      one.text,
      before === undefined
        ? one
        : {
            ...before,
            builders: [...new Set([...before.builders, ...one.builders])],
            copies: [...before.copies, ...one.copies],
            credentials: before.credentials || one.credentials,
          },
    );
  }
  return [...known.values()];
}

function masterSources({ config, dir, shown }: MasterFacts): SourceSubject[] {
  if (config === undefined) return [];
  const source = `${shown}/master configuration`;
  const repositories = Object.entries(config.repositories).map(([name, { git, credentials }]) =>
    repositorySubject(git, {
      source: `${source}: repositories.${name}`,
      credentials: credentials !== null,
      copies: [
        join(
          dir,
          '.bbx/mirrors',
          `${name}-${createHash('sha256').update(git).digest('hex').slice(0, 12)}.git`,
        ),
      ],
    }),
  );
  const builders = Object.entries(config.builders).flatMap(([name, { steps, needs }]) => [
    ...steps.flatMap((step) =>
      step.kind === 'git'
        ? [
            repositorySubject(step.repository, {
              source: `${source}: builders.${name}`,
              builders: [name],
              credentials: step.credentials !== null,
            }),
          ]
        : [],
    ),
    ...needs.map(({ host, port }) => ({
      ...hostSubject(host, port, `${source}: builders.${name}.needs`),
      builders: [name],
    })),
  ]);
  return [...repositories, ...builders];
}

/** What a stock master's change sources and steps fetch from, where it is written as one text. */
function stockSources({ master, shown }: StockMasterFile): SourceSubject[] {
  return master.outgoing.flatMap(({ plane, who, key, git, setting, standard, port }): SourceSubject[] => {
    if (plane !== 'source') return [];
    const [written] = setting.written;
    const isUnset = written === undefined && setting.unknown.length === 0;
    const text = isUnset ? standard : sureValue(setting);
    if (typeof text !== 'string' || text === '') return [];
    const source = `${shown}${written === undefined ? '' : `:${written.line}`}: ${who}(${key})`;
    if (port !== null) return /[\s/:]/.test(text) ? [] : [hostSubject(text, port, source)];
    const subject = repositorySubject(text, { source });
    // Other systems have no `git ls-remote`; their hosts are looked at all the same.
    return [git || subject.problem !== null ? subject : { ...subject, what: 'download', url: null }];
  });
}

function hostSubject(host: string, port: number, source: string): SourceSubject {
  return {
    kind: 'source',
    text: printHostPort(host, port),
    what: 'download',
    url: null,
    host,
    port,
    ssh: null,
    problem: null,
    write: null,
    builders: [],
    credentials: false,
    copies: [],
    source,
  };
}

/** The host of a source, for the checks of names and connections. */
export function targetOf({ host, port, source }: SourceSubject): TargetSubject[] {
  return host === null || port === null ? [] : [placeTarget(host, port, source)];
}
