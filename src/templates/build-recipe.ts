/** How to build a repository, as found from the files at its root. */
export interface BuildRecipe {
  /** The file that decided. */
  because: string;
  steps: { name: string; run: string }[];
}

/** A look at a repository's root: the names there, and the text of those that are asked for. */
export interface RepositoryRoot {
  names: ReadonlySet<string>;
  read(name: string): string | undefined;
}

/** The file that marks each kind of project, in the order of trust: a language's own file says more than a Makefile beside it. */
const KINDS: readonly [file: string, steps: (root: RepositoryRoot) => BuildRecipe['steps']][] = [
  ['package.json', nodeSteps],
  ['Cargo.toml', cargoSteps],
  ['go.mod', () => steps({ build: 'go build ./...', test: 'go test ./...' })],
  ['pyproject.toml', pythonSteps],
  ['CMakeLists.txt', cmakeSteps],
  ['Makefile', makeSteps],
];

/** Files that `findRecipe` looks at, for error messages. */
export const RECIPE_FILES: readonly string[] = KINDS.map(([file]) => file);

/** The commands that build and test this repository, or undefined when no file at its root says how. Pure. */
export function findRecipe(root: RepositoryRoot): BuildRecipe | undefined {
  for (const [file, make] of KINDS) {
    if (!root.names.has(file)) continue;
    const found = make(root);
    if (found.length > 0) return { because: file, steps: found };
  }
  return undefined;
}

/** A recipe of the user's own commands, one step each. */
export function givenRecipe(commands: readonly string[]): BuildRecipe {
  return { because: '--run', steps: commands.map((run) => ({ name: run.slice(0, 60), run })) };
}

function steps(byName: Record<string, string>): BuildRecipe['steps'] {
  return Object.entries(byName).map(([name, run]) => ({ name, run }));
}

function nodeSteps(root: RepositoryRoot): BuildRecipe['steps'] {
  const manifest = parseManifest(root.read('package.json'));
  const scripts = manifest.scripts ?? {};
  const [runner, install] = packageManager(root);
  const needsInstall =
    install !== undefined ||
    Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length > 0;
  return [
    ...(needsInstall ? [{ name: 'install', run: install ?? 'npm install' }] : []),
    ...(scripts['build'] === undefined ? [] : [{ name: 'build', run: `${runner} run build` }]),
    // What `npm init` writes is no test: it always fails.
    ...(scripts['test'] === undefined || scripts['test'].includes('no test specified')
      ? []
      : [{ name: 'test', run: `${runner} test` }]),
  ];
}

/** Runner and install command by the lock file that is there; no install command without one. */
function packageManager(root: RepositoryRoot): [runner: string, install: string | undefined] {
  if (root.names.has('package-lock.json') || root.names.has('npm-shrinkwrap.json')) return ['npm', 'npm ci'];
  if (root.names.has('pnpm-lock.yaml')) return ['pnpm', 'pnpm install --frozen-lockfile'];
  if (root.names.has('yarn.lock')) return ['yarn', 'yarn install --frozen-lockfile'];
  return ['npm', undefined];
}

function parseManifest(text: string | undefined): {
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
} {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    // A broken manifest has no scripts; its own tools will say so better than a guess here.
    return {};
  }
}

function cargoSteps(root: RepositoryRoot): BuildRecipe['steps'] {
  const locked = root.names.has('Cargo.lock') ? ' --locked' : '';
  return steps({ build: `cargo build${locked}`, test: `cargo test${locked}` });
}

function pythonSteps(root: RepositoryRoot): BuildRecipe['steps'] {
  const pytest = (root.read('pyproject.toml') ?? '').includes('pytest');
  const hasTests = pytest || root.names.has('tests') || root.names.has('test');
  return steps({
    environment: 'python3 -m venv .venv',
    install: `.venv/bin/python -m pip install .${pytest ? ' pytest' : ''}`,
    ...(hasTests
      ? { test: pytest ? '.venv/bin/python -m pytest' : '.venv/bin/python -m unittest discover' }
      : {}),
  });
}

function cmakeSteps(): BuildRecipe['steps'] {
  return steps({
    configure: 'cmake -S . -B build',
    build: 'cmake --build build',
    test: 'ctest --test-dir build --output-on-failure',
  });
}

function makeSteps(root: RepositoryRoot): BuildRecipe['steps'] {
  const targets = [...(root.read('Makefile') ?? '').matchAll(/^([A-Za-z0-9_.-]+)\s*:(?!=)/gm)].map(
    (match) => match[1],
  );
  const test = ['test', 'check'].find((target) => targets.includes(target));
  return steps({ build: 'make', ...(test === undefined ? {} : { test: `make ${test}` }) });
}
