import { basename, join } from 'node:path';
import type { Problem } from '../../config/problem.ts';
import { printAddress } from '../../net/endpoint/address.ts';
import { printListen } from '../../net/endpoint/listen-address.ts';
import type { DirectoryFacts, RoleFacts } from '../directory.ts';
import { dirFlag } from '../evidence.ts';
import type { SettingPlace, SettingSubject } from '../subject.ts';

/** Mistakes of a configuration: an address's own text is read again, for a finding of its own; anything else stands as it is. */
export function problemsOf(
  role: RoleFacts<unknown> | undefined,
  kind: 'master' | 'worker',
): SettingSubject[] {
  if (role === undefined) return [];
  const recheck = `bbx config check${dirFlag(role.shown)}`;
  const whole = (source: string, problem: string): SettingSubject => ({
    kind: 'setting',
    key: kind,
    text: '',
    role: 'connect',
    source,
    problem,
    recheck,
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
        // Of a URL that cannot be read, the grammar of addresses knows nothing but zones.
        const isZone = problem.path === 'url' && /\[[^\]]*%/.test(text ?? '');
        if ((isListen || isZone || /^(reach|master)\b/.test(problem.path)) && text !== undefined) {
          const place = placeIn(role, problem, text);
          return {
            kind: 'setting',
            key: problem.path,
            text,
            role: isListen ? 'listen' : 'connect',
            source,
            recheck,
            refusal: `${problem.message}${problem.fix === null ? '' : `; ${problem.fix}`}`,
            ...(place === undefined ? {} : { place }),
          };
        }
        return whole(
          source,
          `${problem.path === '' ? '' : `${problem.path}: `}${problem.message}${problem.fix === null ? '' : `; ${problem.fix}`}`,
        );
      }),
  ];
}

/** Files that did not come in time: of what stands in them, nothing is known. */
export function unread(shown: string): SettingSubject {
  const problem = 'its files were not read in time';
  return { kind: 'setting', key: 'files', text: '', role: 'connect', source: shown, problem, unread: true };
}

/** Addresses of a configuration that holds, in their printed form. */
export function settingsOf({ master, worker }: DirectoryFacts): SettingSubject[] {
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

/** Where the text begins that a problem points into; undefined where it does not stand in a file, or not where the problem says. */
function placeIn(role: RoleFacts<unknown>, problem: Problem, text: string): SettingPlace | undefined {
  const { source, line, column, file } = problem;
  if (source === null || line === null || column === null) return undefined;
  const starts = [...source.matchAll(literally(text))].map(({ index }) => index);
  const start = starts.find((at) => at <= column - 1 && column - 1 <= at + text.length);
  if (start === undefined) return undefined;
  return {
    file: join(role.dir, basename(file)),
    shown: file,
    line,
    column: start + 1,
    quoted: /["']/.test(source[start - 1] ?? ''),
  };
}

function literally(text: string): RegExp {
  return new RegExp(text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'), 'g');
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
  return /(?::|^\s*-)\s+([^\s"'#,\]}]+)/.exec(problem.source)?.[1];
}
