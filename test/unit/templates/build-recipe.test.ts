import { describe, expect, it } from 'vitest';
import { findRecipe, type RepositoryRoot } from '../../../src/templates/build-recipe.ts';

function root(files: Record<string, string>): RepositoryRoot {
  return { names: new Set(Object.keys(files)), read: (name) => files[name] };
}

function commands(files: Record<string, string>): string[] | undefined {
  return findRecipe(root(files))?.steps.map((step) => step.run);
}

const manifest = (value: object) => JSON.stringify(value);

describe('how a repository is built is read from the files at its root', () => {
  it.each<[title: string, files: Record<string, string>, expected: string[] | undefined]>([
    [
      'npm with a lock file',
      { 'package.json': manifest({ scripts: { build: 'tsc', test: 'vitest' } }), 'package-lock.json': '{}' },
      ['npm ci', 'npm run build', 'npm test'],
    ],
    [
      'npm without dependencies',
      { 'package.json': manifest({ scripts: { test: 'node --test' } }) },
      ['npm test'],
    ],
    [
      'npm without a lock file',
      { 'package.json': manifest({ scripts: { test: 'x' }, devDependencies: { x: '1' } }) },
      ['npm install', 'npm test'],
    ],
    [
      'pnpm',
      { 'package.json': manifest({ scripts: { test: 'x' } }), 'pnpm-lock.yaml': '' },
      ['pnpm install --frozen-lockfile', 'pnpm test'],
    ],
    [
      'a locked crate',
      { 'Cargo.toml': '', 'Cargo.lock': '' },
      ['cargo build --locked', 'cargo test --locked'],
    ],
    ['a Go module', { 'go.mod': 'module x' }, ['go build ./...', 'go test ./...']],
    [
      'a Python project with pytest',
      { 'pyproject.toml': '[tool.pytest.ini_options]' },
      ['python3 -m venv .venv', '.venv/bin/python -m pip install . pytest', '.venv/bin/python -m pytest'],
    ],
    ['make with a check target', { Makefile: 'X := 1\nall: a\ncheck: all\n' }, ['make', 'make check']],
    ['make without tests', { Makefile: 'all:\n\ttrue\n' }, ['make']],
    [
      'CMake before the Makefile beside it',
      { Makefile: '', 'CMakeLists.txt': '' },
      ['cmake -S . -B build', 'cmake --build build', 'ctest --test-dir build --output-on-failure'],
    ],
    [
      'a manifest that only holds the placeholder test falls through to the Makefile',
      {
        'package.json': manifest({ scripts: { test: 'echo "Error: no test specified" && exit 1' } }),
        Makefile: 'test:\n',
      },
      ['make', 'make test'],
    ],
    ['a broken manifest', { 'package.json': '{' }, undefined],
    ['nothing known', { 'README.md': '' }, undefined],
  ])('%s', (_title, files, expected) => {
    expect(commands(files)).toEqual(expected);
  });
});
