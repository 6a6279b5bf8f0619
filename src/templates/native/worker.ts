import type { Tree } from '../tree.ts';
import { yaml } from '../yaml.ts';

/** What decides the content of a worker's directory. */
export interface WorkerAnswers {
  name: string;
  /** Ways to the master, best first. */
  master: readonly string[];
  /** From the join string; empty: pinned at first contact. */
  pins?: readonly string[];
  via?: readonly string[];
  maxBuilds?: number;
  tags?: readonly string[];
  runAs?: string;
}

/** The directory of a worker. Its key is made by its first run, on the machine where it stays. */
export function renderWorker(answers: WorkerAnswers, join: string | null, schema: string): Tree {
  return {
    role: 'worker',
    // Builds that run as another user must get through to builds/; nobody needs to list this.
    mode: 0o711,
    dirs: [],
    files: [
      { path: 'worker.yaml', content: workerYaml(answers), mode: 0o644, policy: 'replace' },
      {
        path: 'worker.schema.json',
        content: schema,
        mode: 0o644,
        policy: 'replace',
      },
      ...(join === null
        ? []
        : [{ path: 'join', content: `${join}\n`, mode: 0o600, policy: 'refresh' as const }]),
    ],
  };
}

function workerYaml(answers: WorkerAnswers): string {
  const { master, pins = [], via = [], tags = [] } = answers;
  return [
    '# yaml-language-server: $schema=worker.schema.json',
    '# Run it with "bbx run worker". The key that it makes and its spool stand beside this file; there is no password here.',
    '',
    yaml({ name: answers.name }),
    '',
    '# A name, or an address such as "[2001:db8::2]:9989"; of a name both address families are tried.',
    yaml({ master: master.length === 1 ? master[0] : [...master] }),
    '',
    "# The master's key. Without this line it is remembered at first contact.",
    pins.length === 0 ? '# pin: "sha256:…"' : yaml({ pin: pins.length === 1 ? pins[0] : [...pins] }),
    '',
    '# Hops on the way: ssh:me@common.example, socks5://…, http://proxy:3128, relay://…',
    via.length === 0 ? '# via: ["http://proxy.example:3128"]' : yaml({ via: [...via] }),
    '',
    '# Builds at the same time, and what builders can ask for.',
    answers.maxBuilds === undefined ? '# maxBuilds: 2' : yaml({ maxBuilds: answers.maxBuilds }),
    tags.length === 0 ? '# tags: [linux, x64]' : yaml({ tags: [...tags] }),
    '',
    '# On SIGTERM running builds may take so long to end.',
    '# drainTimeout: 10m',
    '# The user that builds run as, when the worker runs as root.',
    answers.runAs === undefined ? '# runAs: builder' : yaml({ runAs: answers.runAs }),
    '',
  ].join('\n');
}
