import { defineCodes, row } from '../../base/error.ts';
import { EXIT } from '../../base/exit.ts';

/** What the master answers to its callers, and what it says in `status` about things that do not work. */
export const codes = defineCodes({
  'BBX-API-NOT-FOUND': row<{ kind: string; name: string; meant?: string | undefined }>({
    message: ({ kind, name }) => `Cannot find ${kind} "${name}": this farm has none of that name`,
    hint: ({ kind, meant }) => (meant === undefined ? listHint(kind) : `Did you mean "${meant}"?`),
    exit: EXIT.notFound,
    about: 'The builder, build, step, log, request, worker or subject that was named is not in this farm.',
  }),
  'BBX-API-BAD-REQUEST': row<{ method: string; path: string; problem: string }>({
    message: ({ method, path, problem }) => `Cannot answer ${method} "${path}": ${problem}`,
    exit: EXIT.usage,
    about: 'The path, query or body of a call does not have the form that docs/api.md gives.',
  }),
  'BBX-API-FAULT': row<{ method: string; path: string }>({
    message: ({ method, path }) =>
      `Cannot answer ${method} "${path}": a fault of bbx; its log has the whole stack`,
    exit: EXIT.fault,
    about: 'The master met an error that it does not know. This is a fault of bbx: please report it.',
  }),
  'BBX-API-COMPLETE': row<{ kind: string; name: string; result: string }>({
    message: ({ kind, name, result }) => `Cannot cancel ${kind} "${name}": it ended already (${result})`,
    exit: EXIT.conflict,
    about: 'Only a request that waits or a build that runs can be cancelled.',
  }),
  'BBX-API-RUNNING': row<{ kind: 'build' | 'request'; name: string }>({
    message: ({ kind, name }) =>
      `Cannot retry ${kind} "${name}": it still ${kind === 'build' ? 'runs' : 'waits or runs'}; cancel it first, or wait`,
    exit: EXIT.conflict,
    about: 'A build, or a request, is retried when it has ended.',
  }),
  'BBX-API-PRUNED': row<{ name: string }>({
    message: ({ name }) => `Cannot read log "${name}": retention has removed its text`,
    hint: () => 'How long logs are kept: bbx config get retention',
    exit: EXIT.notFound,
    about: 'The log is older than `retention.logs`, or its build beyond `retention.builds`.',
  }),
  'BBX-API-DRAINING': row<object>({
    message: () => 'Cannot take new work: the master is draining and ends when its last build has ended',
    hint: () => 'See what still runs: bbx status; then start it again: bbx run master',
    exit: EXIT.conflict,
    retryable: true,
    about: 'A draining master finishes what runs and starts nothing new.',
  }),
  'BBX-API-WORKER-STATE': row<{ name: string; state: string; wanted: string }>({
    message: ({ name, state, wanted }) => `Cannot ${wanted} worker "${name}": it is ${state}`,
    hint: ({ name, state }) =>
      state === 'removed'
        ? `Invite it again: bbx worker add ${name}`
        : state === 'pending'
          ? `Let it in first: bbx worker approve ${name}`
          : `See: bbx worker show ${name}`,
    exit: EXIT.conflict,
    about: 'Only a pending worker is approved; only an approved one is paused, resumed or drained.',
  }),
  'BBX-API-WORKER-OLD': row<{ name: string }>({
    message: ({ name }) => `Cannot ask worker "${name}" to try its ways here: its version does not know how`,
    hint: () => 'Update bbx on its host, or run there: bbx doctor reach HOST:PORT',
    exit: EXIT.failed,
    about:
      'The worker runs an older bbx, which cannot try the way to its master while it is connected. The same is measured by `bbx doctor` on the ' +
      'host of the worker.',
  }),
  'BBX-API-WORKER-SILENT': row<{ name: string; seconds: number }>({
    message: ({ name, seconds }) =>
      `Cannot hear from worker "${name}" what became of its ways here: no answer within ${seconds} s`,
    hint: ({ name }) => `See how its link does: bbx worker show ${name}`,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'The worker is attached but did not answer in time: its host is busy, or the link is dying. Its pings tell more (`bbx worker show`).',
  }),
  'BBX-API-SOCKET-PATH': row<{ path: string }>({
    message: ({ path }) =>
      `Cannot make control socket "${path}": something that is not a socket has that name`,
    hint: () => 'Move that file away, or run the master in another directory',
    exit: EXIT.conflict,
    about: 'The control socket stands in the master’s directory; its name is taken by another kind of file.',
  }),
  'BBX-API-MASTER-RUNS': row<{ path: string }>({
    message: ({ path }) => `Cannot listen on control socket "${path}": a running master answers there`,
    hint: () => 'One directory has one running master. See: bbx status',
    exit: EXIT.conflict,
    about: 'Another master process serves the same directory.',
  }),
  'BBX-MAS-POLL': row<{ repository: string; what: string }>({
    message: ({ repository, what }) => `Cannot poll repository "${repository}": ${what}`,
    exit: EXIT.unreachable,
    retryable: true,
    about: 'The git poller could not read the branches of a repository; it tries again with growing delays.',
  }),
  'BBX-MAS-SECRET': row<{ name: string; file: string; what: string }>({
    message: ({ name, file, what }) => `Cannot read secret "${name}" from "${file}": ${what}`,
    hint: ({ file }) => `Write its value into "${file}" (mode 0600), then: bbx config apply`,
    exit: EXIT.configInvalid,
    about: 'A build needs a secret whose file cannot be read; the build ends as `exception`.',
  }),
  'BBX-MAS-WORKER-NOTE': row<{ worker: string; note: string }>({
    message: ({ worker, note }) => `Worker "${worker}" says: ${note}`,
    hint: ({ worker }) => `See: bbx worker show ${worker}`,
    exit: EXIT.infrastructure,
    retryable: true,
    about: 'A connected worker has trouble of its own, such as a full disk. Its builds may be held up.',
  }),
  'BBX-MAS-WORKER-REFUSES': row<{ worker: string; why: string }>({
    message: ({ worker, why }) =>
      `Worker "${worker}" refuses builds: ${why}; it is asked again after 10 s, then less and less often`,
    hint: ({ worker }) => `Mend it, then: bbx worker resume ${worker} (asks it again at once)`,
    exit: EXIT.infrastructure,
    retryable: true,
    about:
      'A connected worker does not take the builds that it is given, for example because it cannot write its directory. They go to other ' +
      'workers, or wait; a refusal is no try.',
  }),
  'BBX-MAS-WORKER-TWICE': row<{ worker: string; old: string; newcomer: string; refused: boolean }>({
    message: ({ worker, old, newcomer, refused }) =>
      refused
        ? `Two processes use the name "${worker}" in turn: the one from ${newcomer} is refused, the one from ${old} stays`
        : `Worker "${worker}" came from ${newcomer} while the one from ${old} was still connected, and took its place; builds of that one are tried again`,
    hint: () =>
      'Where a directory of a worker was copied: stop one of the two, and make it a worker of its own with "bbx worker add" and "bbx create-worker"',
    exit: EXIT.conflict,
    about:
      'Two processes have the key of one worker. Each that comes takes the place of the other, whose builds are lost to it. Status says so for 15 minutes.',
  }),
  'BBX-MAS-LOG-STORE': row<{ what: string }>({
    message: ({ what }) =>
      `Cannot store log output: ${what}; output waits at the workers until this works again`,
    hint: ({ what }) =>
      /\b(?:EACCES|EPERM|EROFS)\b/.test(what)
        ? 'Let the user of the master write below logs/ in its directory; nothing is lost meanwhile'
        : /\bEIO\b/.test(what)
          ? 'Look for errors of the disk of the master’s directory (dmesg); nothing is lost meanwhile'
          : 'Free space on the disk of the master’s directory; nothing is lost meanwhile',
    exit: EXIT.failed,
    retryable: true,
    about:
      'Appending to a log file failed, or making it durable, for example because the disk is full. Nothing is acknowledged, workers keep what they ' +
      'have in their spools, and the master tries again.',
  }),
  'BBX-MAS-LOG-MISMATCH': row<{ build: string; step: string; log: string; expected: string; got: string }>({
    message: ({ build, step, log, expected, got }) =>
      `Log "${log}" of step "${step}" of build ${build} is not what the worker wrote: expected ${expected}, stored ${got}`,
    hint: () => 'Check the disks of master and worker, and report this: it must not happen',
    exit: EXIT.fault,
    about: 'Size or SHA-256 of a stored log differ from what the worker counted while it wrote.',
  }),
  'BBX-MAS-WORKER-LOST': row<{ worker: string; build: string; grace: string }>({
    message: ({ worker, build, grace }) =>
      `Worker "${worker}" was lost while it ran build ${build}, and did not come back within ${grace}`,
    exit: EXIT.infrastructure,
    retryable: true,
    about:
      'The build ends as `retry` and its request runs again; after the third lost worker it ends as `exception`.',
  }),
  'BBX-MAS-JOIN': row<{ names: string; problem: string }>({
    message: ({ names, problem }) => `Cannot invite worker "${names}": ${problem}`,
    exit: EXIT.usage,
    about: 'The name, the pattern or the number of uses of an invitation is not valid.',
  }),
});

function listHint(kind: string): string | undefined {
  const list: Readonly<Record<string, string>> = {
    builder: 'bbx builder list',
    worker: 'bbx worker list',
    build: 'bbx build list',
    request: 'bbx status',
    repository: 'bbx config get repositories',
    step: 'bbx build show BUILD',
  };
  if (kind === 'subject' || kind === 'change')
    return 'A subject is a build (app/12), a request (r17), a change (c5), a revision or a repository; builds: bbx build list, repositories: bbx config get repositories';
  return list[kind] === undefined ? undefined : `See: ${list[kind]}`;
}
