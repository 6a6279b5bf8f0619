import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { printProblem, type Problem } from './problem.ts';

/** Trouble with configuration: the files, what stands in them, and the directories they stand in. */
export const codes = defineCodes({
  'BBX-CFG-INVALID': row<{ file: string; problems: readonly Problem[] }>({
    message: ({ file, problems }) =>
      `Cannot use "${file}": ${problems.length === 1 ? 'one problem' : `${problems.length} problems`}\n` +
      problems.map(printProblem).join('\n'),
    exit: EXIT.configInvalid,
    about:
      'The configuration has mistakes. All of them are listed, each with its place and what to write instead.',
  }),
  'BBX-CFG-MISSING': row<{ dir: string; role: 'master' | 'worker' }>({
    message: ({ dir, role }) => `Cannot find a ${role}'s configuration in "${dir}": no ${FILES[role]} there`,
    hint: ({ role }) => `Make one with: bbx create-${role}${role === 'worker' ? ' --master HOST:9989' : ''}`,
    exit: EXIT.notFound,
    about: 'The directory holds no configuration of the role that was asked for.',
  }),
  'BBX-CFG-TWO-FILES': row<{ dir: string }>({
    message: ({ dir }) =>
      `Cannot choose a configuration in "${dir}": both master.yaml and master.config.ts are there`,
    hint: () => 'Remove or rename one of them',
    exit: EXIT.configInvalid,
    about: 'A master is configured by one file, and nothing says which of the two is meant.',
  }),
  'BBX-CFG-READ': row<{ file: string; reason: string }>({
    message: ({ file, reason }) => `Cannot read "${file}": ${reason}`,
    exit: EXIT.configInvalid,
    about: 'The file is there but cannot be read: it is a directory, or larger than 1 MB.',
  }),
  'BBX-CFG-CODE': row<{ file: string; problem: string; output?: string; hint?: string }>({
    message: ({ file, problem, output }) =>
      `Cannot evaluate "${file}": ${problem}${output === undefined || output === '' ? '' : `\n${output}`}`,
    hint: ({ hint }) => hint ?? 'Mend it there, then run: bbx config check',
    exit: EXIT.configInvalid,
    about:
      'master.config.ts threw an error, did not end within its time, wrote to standard output, or exports something that is not plain data.',
  }),
  'BBX-CFG-NOT-YAML': row<{ file: string }>({
    message: ({ file }) => `Cannot change "${file}": it is code, which only people can edit`,
    hint: () => 'Open it in an editor, then run: bbx config check',
    exit: EXIT.usage,
    about:
      '"bbx config set", "unset" and "bbx builder add" edit master.yaml and worker.yaml, not master.config.ts.',
  }),
  'BBX-CFG-NO-KEY': row<{ key: string; file: string; suggestion?: string | undefined }>({
    message: ({ key, file, suggestion }) =>
      `Cannot find "${key}" in the configuration of "${file}"${suggestion === undefined ? '' : `: did you mean "${suggestion}"?`}`,
    hint: () => 'See all of it with: bbx config show',
    exit: EXIT.notFound,
    about: 'No value stands at that key.',
  }),
  'BBX-CFG-KEY': row<{ key: string; problem: string }>({
    message: ({ key, problem }) => `Cannot use the key "${key}": ${problem}`,
    hint: () => 'Keys look like listen.web, builders.app.steps[0].timeout, or workers["vps-*"].tags',
    exit: EXIT.usage,
    about: 'The key on the command line could not be read.',
  }),
  'BBX-CFG-BUILDER-DIFFERS': row<{ name: string; file: string; differences: readonly string[] }>({
    message: ({ name, file, differences }) =>
      `Cannot add builder "${name}": "${file}" has another one of that name (${differences.join('; ')})`,
    hint: ({ name }) => `Edit it in the file, or remove it first: bbx config unset builders.${name}`,
    exit: EXIT.conflict,
    about: '"bbx builder add" never replaces a builder; the same call twice changes nothing.',
  }),
});

const FILES = { master: 'master.yaml or master.config.ts', worker: 'worker.yaml' } as const;
