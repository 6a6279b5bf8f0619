import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runGit, type GitOptions } from '../exec/git.ts';
import { findRecipe, givenRecipe, RECIPE_FILES, type BuildRecipe } from '../templates/build-recipe.ts';
import { codes } from './terminal/codes.ts';

/** Text of a recipe's file that is looked at; real ones are far shorter. */
const RECIPE_BYTES = 256 * 1024;
/** A first look at a big repository over a slow line. */
const LOOK_LIMIT_MS = 120_000;

/** The small real repository that quickstart builds when it is given none. */
const SAMPLE: Readonly<Record<string, string>> = {
  'package.json': `${JSON.stringify({ name: 'hello', version: '1.0.0', private: true, type: 'module', scripts: { test: 'node --test' } }, null, 2)}\n`,
  'greeting.js': 'export const greeting = (name) => `Hello, ${name}!`;\n',
  'greeting.test.js': [
    "import assert from 'node:assert/strict';",
    "import { test } from 'node:test';",
    "import { greeting } from './greeting.js';",
    '',
    "test('greets by name', () => assert.equal(greeting('farm'), 'Hello, farm!'));",
    '',
  ].join('\n'),
  'README.md':
    '# hello\n\nA small project for a first build. Change something, commit it, and the farm builds it.\n',
};

/** Makes the sample repository in `dir`, or leaves the one that is there. */
export async function makeSample(dir: string, options: GitOptions): Promise<void> {
  const exists = await access(join(dir, '.git')).then(
    () => true,
    () => false,
  );
  if (exists) return;
  await mkdir(dir, { recursive: true });
  for (const [name, text] of Object.entries(SAMPLE)) await writeFile(join(dir, name), text);
  const about = { action: 'make', url: dir };
  const identity = [
    '-c',
    'user.name=bbx quickstart',
    '-c',
    'user.email=quickstart@localhost',
    '-c',
    'commit.gpgSign=false',
  ];
  await runGit(['init', '--quiet', '--initial-branch=main', '--', dir], about, options);
  await runGit(['-C', dir, 'add', '--all'], about, options);
  await runGit(['-C', dir, ...identity, 'commit', '--quiet', '--message', 'A small project'], about, options);
}

/**
 * How a repository is built: the given commands, or what the files at its root say. It is cloned without its files for the look.
 * Throws BBX-EXE-GIT… when it cannot be read, BBX-USAGE when nothing at its root says how to build it.
 */
export async function recipeOf(
  repository: string,
  commands: readonly string[],
  options: GitOptions,
): Promise<BuildRecipe> {
  if (commands.length > 0) return givenRecipe(commands);
  const dir = await mkdtemp(join(tmpdir(), 'bbx-look-'));
  try {
    const about = { action: 'look into', url: repository };
    const limited = { ...options, timeoutMs: LOOK_LIMIT_MS };
    await runGit(['clone', '--quiet', '--depth=1', '--bare', '--', repository, dir], about, limited);
    const names = new Set(
      (await runGit(['-C', dir, 'ls-tree', '--name-only', '-z', 'HEAD'], about, limited)).split('\0'),
    );
    const texts = new Map<string, string>();
    for (const name of RECIPE_FILES.filter((file) => names.has(file))) {
      const text = await runGit(['-C', dir, 'cat-file', 'blob', `HEAD:${name}`], about, limited);
      texts.set(name, text.slice(0, RECIPE_BYTES));
    }
    const recipe = findRecipe({ names, read: (name) => texts.get(name) });
    if (recipe !== undefined) return recipe;
    throw codes['BBX-USAGE']({
      problem: `nothing at the root of "${repository}" says how to build it (looked for ${RECIPE_FILES.join(', ')})`,
      hint: 'Say it yourself: --run CMD, once for each step',
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
