import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { withoutCredentials } from '../../base/without-credentials.ts';
import { printHostPort } from '../../net/endpoint/host.ts';
import { parseRepository } from '../../net/endpoint/repository.ts';
import type { MasterFacts } from '../directory.ts';
import type { SourceSubject } from '../far-subjects.ts';
import type { TargetSubject } from '../subject.ts';
import type { Here } from './question.ts';

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
    problem: place.kind === 'fault' ? place.problem : null,
    write: place.kind === 'fault' && place.write !== null ? withoutCredentials(place.write) : null,
    builders: [],
    credentials: false,
    copies: place.kind === 'local' ? [url.replace(/^file:\/\//, '')] : [],
    ...more,
  };
}

/** What `doctor source` looks at where no URL was given: all that the directory's builds fetch from, each place once. */
export function sourcesOf({ directory, checkouts = [] }: Here): SourceSubject[] {
  const { master } = directory;
  const all = [
    ...(master === undefined ? [] : masterSources(master)),
    ...checkouts.map(({ url, dir, builder }) =>
      repositorySubject(url, { source: `checkout of ${builder}`, builders: [builder], copies: [dir] }),
    ),
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
    ...needs.map(({ host, port }): SourceSubject => ({
      kind: 'source',
      text: printHostPort(host, port),
      what: 'download',
      url: null,
      host,
      port,
      problem: null,
      write: null,
      builders: [name],
      credentials: false,
      copies: [],
      source: `${source}: builders.${name}.needs`,
    })),
  ]);
  return [...repositories, ...builders];
}

/** The host of a source, for the checks of names and connections. */
export function targetOf({ host, port, source }: SourceSubject): TargetSubject[] {
  if (host === null || port === null) return [];
  return [
    {
      kind: 'target',
      text: printHostPort(host, port),
      host,
      port,
      protocol: 'tcp',
      plane: 'other',
      pins: [],
      source,
    },
  ];
}
