import { didYouMean } from '../base/did-you-mean.ts';
import { isPattern, matchesAny, matchesPattern } from '../base/pattern.ts';
import { problemAt, type ConfigDocument } from './document.ts';
import { valueAt } from './key-path.ts';
import type { Problem } from './problem.ts';
import { templateProblems } from './template-check.ts';

/**
 * What no single value shows: names that nothing has, builders that nobody can build, properties in the wrong place. Works on the
 * document as written, whatever its shape, so that these mistakes are told together with all others.
 */
export function crossCheck(document: ConfigDocument): Problem[] {
  const farm = new WrittenFarm(document);
  return [
    ...Object.keys(farm.table('schedulers')).flatMap((name) => schedulerProblems(farm, name)),
    ...Object.keys(farm.table('repositories')).flatMap((name) =>
      farm.secret(['repositories', name, 'credentials']),
    ),
    ...Object.keys(farm.table('builders')).flatMap((name) => builderProblems(farm, name)),
    ...tailProblems(farm),
    ...templateProblems(farm.document),
  ];
}

/** The document, read leniently: what has the wrong shape is somebody else's to report. */
class WrittenFarm {
  readonly document: ConfigDocument;

  constructor(document: ConfigDocument) {
    this.document = document;
  }

  at(path: readonly PropertyKey[]): unknown {
    return valueAt(this.document.value, path);
  }

  table(...path: PropertyKey[]): Record<string, unknown> {
    const value = this.at(path);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  }

  /** Texts of a list at a path, with their own paths. */
  texts(path: readonly PropertyKey[]): { text: string; path: PropertyKey[] }[] {
    const value = this.at(path);
    if (!Array.isArray(value)) return [];
    return value.flatMap((text: unknown, index) =>
      typeof text === 'string' ? [{ text, path: [...path, index] }] : [],
    );
  }

  /** A problem when the text at a path is no key of a table. */
  known(
    path: readonly PropertyKey[],
    where: 'repositories' | 'builders' | 'secrets',
    what: string,
  ): Problem[] {
    const name = this.at(path);
    const table = this.table(where);
    if (typeof name !== 'string' || Object.hasOwn(table, name)) return [];
    const near = didYouMean(name, Object.keys(table));
    const question = near === undefined ? '' : `; did you mean "${near}"?`;
    return [
      problemAt(this.document, path, {
        message: `no ${what} is called "${name}"${question}`,
        fix: near === undefined ? `describe it under "${where}:"` : undefined,
      }),
    ];
  }

  secret(path: readonly PropertyKey[]): Problem[] {
    return this.known([...path, 'secret'], 'secrets', 'secret');
  }

  environment(path: readonly PropertyKey[]): Problem[] {
    return Object.keys(this.table(...path)).flatMap((name) => this.secret([...path, name]));
  }

  warn(path: readonly PropertyKey[], message: string, fix?: string): Problem {
    return problemAt(this.document, path, { message, fix, severity: 'warning' });
  }
}

function schedulerProblems(farm: WrittenFarm, name: string): Problem[] {
  const path = ['schedulers', name];
  const repository = farm.at([...path, 'repository']);
  const watched = typeof repository === 'string' ? farm.texts(['repositories', repository, 'branches']) : [];
  const watchedPatterns = watched.length > 0 ? watched.map(({ text }) => text) : ['main', 'master'];
  const unseen = farm
    .texts([...path, 'branches'])
    .filter(({ text }) => !isPattern(text) && !matchesAny(watchedPatterns, text));
  return [
    ...farm.known([...path, 'repository'], 'repositories', 'repository'),
    ...farm.texts([...path, 'builders']).flatMap((entry) => farm.known(entry.path, 'builders', 'builder')),
    ...unseen.map((entry) =>
      farm.warn(
        entry.path,
        `branch "${entry.text}" is not among those that the repository watches`,
        'add it under "branches:" of the repository',
      ),
    ),
  ];
}

function builderProblems(farm: WrittenFarm, name: string): Problem[] {
  const path = ['builders', name];
  const steps = farm.at([...path, 'steps']);
  return [
    ...farm.known([...path, 'repository'], 'repositories', 'repository'),
    ...farm.environment([...path, 'env']),
    ...(Array.isArray(steps) ? steps : []).flatMap((_, index) =>
      stepProblems(farm, path, [...path, 'steps', index]),
    ),
    ...workerProblems(farm, path),
  ];
}

function stepProblems(farm: WrittenFarm, builder: PropertyKey[], path: PropertyKey[]): Problem[] {
  const git = farm.at([...path, 'git']);
  const ownRepository = farm.at([...path, 'git', 'repository']);
  const lacksRepository =
    git !== undefined && ownRepository === undefined && farm.at([...builder, 'repository']) === undefined;
  return [
    ...farm.environment([...path, 'env']),
    ...farm.known([...path, 'git', 'repository'], 'repositories', 'repository'),
    ...farm.secret([...path, 'git', 'credentials']),
    ...(lacksRepository
      ? [
          problemAt(farm.document, [...path, 'git'], {
            message: 'nothing says which repository to check out',
            fix: 'write "repository: NAME" in the builder',
            what: 'key',
          }),
        ]
      : []),
  ];
}

/** Ends of logs that are kept when a log is cut, where none is cut. */
function tailProblems(farm: WrittenFarm): Problem[] {
  const warn = (path: readonly PropertyKey[]) =>
    farm.warn(
      [...path, 'logMaxTailSize'],
      'logMaxTailSize has no effect without logMaxSize: no log is cut',
      'write "logMaxSize: 50MB" beside it, or leave it out',
    );
  const isWritten = (path: readonly PropertyKey[]) =>
    Number.parseFloat(String(farm.at([...path, 'logMaxTailSize']))) > 0;
  const isOff = (value: unknown) => value === null || value === undefined || value === 'off';
  const general = farm.at(['logMaxSize']);
  const steps = Object.keys(farm.table('builders')).flatMap((name) => {
    const path = ['builders', name, 'steps'];
    const written = farm.at(path);
    return Array.isArray(written) ? written.map((_, index) => [...path, index]) : [];
  });
  const own = (path: readonly PropertyKey[]) => farm.at([...path, 'logMaxSize']);
  return [
    ...(isWritten([]) && isOff(general) && steps.every((path) => isOff(own(path))) ? [warn([])] : []),
    ...steps
      .filter((path) => {
        const limit = own(path);
        return isWritten(path) && isOff(limit === undefined ? general : limit);
      })
      .map(warn),
  ];
}

/** Whether a warning only says what the file does not show: which workers there are is known to a running farm alone. */
export function isGuess({ severity, path }: Problem): boolean {
  return severity === 'warning' && /^builders\b.*\.workers\.(?:names|tags)\b/.test(path);
}

/** A builder that no described worker can build is odd, but a worker may still come: names and tags are also learnt from workers. */
function workerProblems(farm: WrittenFarm, builder: PropertyKey[]): Problem[] {
  const workers = farm.table('workers');
  const keys = Object.keys(workers);
  const strangers = farm
    .texts([...builder, 'workers', 'names'])
    .filter(({ text }) => !keys.some((key) => matchesPattern(key, text)));
  const named = strangers.map(({ text, path }) => {
    const near = didYouMean(text, keys);
    return farm.warn(
      path,
      `no worker "${text}" is described under "workers:"${near === undefined ? '' : `; did you mean "${near}"?`}`,
      'builds wait until one of that name joins; describe it to make this warning go away',
    );
  });
  const wanted = farm.texts([...builder, 'workers', 'tags']).map(({ text }) => text);
  const fits = keys.some((key) => {
    const has = farm.texts(['workers', key, 'tags']).map(({ text }) => text);
    return wanted.every((tag) => has.includes(tag));
  });
  if (wanted.length === 0 || fits) return named;
  return [
    ...named,
    farm.warn(
      [...builder, 'workers', 'tags'],
      `no worker under "workers:" has ${wanted.length === 1 ? 'the tag' : 'all of the tags'} ${wanted.join(', ')}`,
      'builds wait until a worker joins that brings them itself; or give the tags to a worker',
    ),
  ];
}
