import { basename } from 'node:path';
import { isIP } from 'node:net';
import type { DoctorReport } from '../api/doctor.ts';
import type { RecordedFact } from './recording.ts';
import type { Plan } from './plan.ts';
import type { KnownNames } from './share.ts';

/** Keys of facts and subjects under which names of hosts stand. */
const HOST_KEYS = new Set([
  'host',
  'hostname',
  'name',
  'hosts',
  'names',
  'search',
  'target',
  'reach',
  'server',
]);
const WORKER_KEYS = new Set(['workerName', 'worker']);
const USER_KEYS = new Set(['user', 'runAs', 'username']);
const PATH_KEYS = new Set(['shown']);

/** The names that a run came across, and those of who runs it. `env`: HOME and the like. */
export function namesIn(
  examined: {
    readonly plan: { readonly subjects: readonly unknown[]; readonly vantage: Plan['vantage'] };
    readonly facts: readonly Pick<RecordedFact, 'facts'>[];
  },
  env: Readonly<Record<string, string | undefined>>,
): KnownNames {
  const [hosts, workers, users, paths] = [
    new Set<string>(),
    new Set<string>(),
    new Set<string>(),
    new Set<string>(),
  ];
  const take = (key: string, text: string) => {
    if (HOST_KEYS.has(key)) hosts.add(hostIn(text));
    if (WORKER_KEYS.has(key)) workers.add(text);
    if (USER_KEYS.has(key)) users.add(text);
    if (PATH_KEYS.has(key) && !text.startsWith('/')) paths.add(text);
  };
  const walk = (key: string, value: unknown): void => {
    if (typeof value === 'string') take(key, value);
    else if (Array.isArray(value)) for (const one of value) walk(key, one);
    else if (typeof value === 'object' && value !== null)
      for (const [inner, one] of Object.entries(value)) walk(inner, one);
  };
  walk('', examined.plan.subjects);
  walk('', examined.facts);
  const { vantage } = examined.plan;
  if (vantage.startsWith('worker:')) workers.add(vantage.slice('worker:'.length));
  for (const name of [env['USER'], env['LOGNAME'], env['SUDO_USER'], basename(env['HOME'] ?? '')])
    if (name !== undefined && name !== '') users.add(name);
  const few = (names: Set<string>, fits: (name: string) => boolean) => [...names].filter(fits);
  return {
    hosts: few(
      hosts,
      (name) => /^[\p{L}\d_*][\p{L}\d_.*-]*$/u.test(name) && isIP(name) === 0 && !/^\d+$/.test(name),
    ),
    workers: few(workers, (name) => name !== ''),
    users: few(users, (name) => name !== ''),
    paths: few(paths, (path) => path !== ''),
  };
}

/** The same of reports that were kept, of which there are no subjects any more; all of them together, so that what is alike in two of them stays so. */
export function namesInReports(reports: readonly DoctorReport[]): KnownNames {
  const all = reports.map(({ findings, verdicts, facts = [], vantage = 'here' }) => {
    const told = [...findings.map(({ target }) => target), ...verdicts.map(({ to }) => to)];
    return namesIn({ plan: { subjects: told.map((target) => ({ target })), vantage }, facts }, {});
  });
  const of = (kind: keyof KnownNames) => [...new Set(all.flatMap((names) => names[kind]))];
  return { hosts: of('hosts'), workers: of('workers'), users: of('users'), paths: of('paths') };
}

/** The name of `NAME`, `NAME:PORT`, `[::1]:PORT`. */
function hostIn(text: string): string {
  return /^\[(.*)\](:\d+)?$/.exec(text)?.[1] ?? text.replace(/:\d+$/, '');
}
