import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** One folder's right to import: other folders of `src/`, Node's own modules, and packages from outside. */
interface Rule {
  folder: string;
  may: readonly string[];
  packages?: readonly string[];
  /** Node's own modules are allowed unless this says otherwise. */
  node?: false;
  because: string;
}

/** The table of docs/architecture.md. The longest matching folder decides. */
const RULES: readonly Rule[] = [
  { folder: 'base', may: [], node: false, because: 'everything stands on it, also a browser page' },
  { folder: 'build', may: ['base'], packages: ['zod'], because: 'what a build is, without input or output' },
  {
    folder: 'api',
    may: ['base', 'build'],
    packages: ['zod'],
    because: 'the contract is read by browsers too',
  },
  { folder: 'exec', may: ['base'], packages: ['execa'], because: 'programs know nothing of farms' },
  {
    folder: 'net',
    may: ['base', 'exec'],
    packages: ['undici', 'ws', 'ipaddr.js'],
    because: 'the one opener of sockets; exec for ssh',
  },
  {
    folder: 'protocol',
    may: ['base', 'build'],
    packages: ['zod'],
    because: 'bytes and messages over a given stream',
  },
  {
    folder: 'store',
    may: ['base', 'build'],
    packages: ['kysely', 'pg', 'pgpass'],
    because: 'rows and log files, nothing of who writes them',
  },
  {
    folder: 'config',
    may: ['base', 'build', 'net/endpoint'],
    packages: ['zod', 'yaml', 'croner'],
    because: 'addresses are checked by their grammar',
  },
  {
    folder: 'backup',
    may: ['base', 'exec', 'store', 'config'],
    packages: ['zod'],
    because: 'a whole directory and its rows in one file; nothing runs meanwhile that it knows of',
  },
  { folder: 'templates', may: ['base', 'config'], packages: ['yaml'], because: 'answers to files, pure' },
  {
    folder: 'diagnostics',
    may: ['base', 'api', 'exec', 'net', 'protocol', 'store', 'config'],
    packages: ['ipaddr.js', 'zod'],
    because: 'the doctor asks the doors below and opens nothing itself; zod for reports of the other end',
  },
  {
    folder: 'client',
    may: ['base', 'build', 'api', 'exec', 'net', 'config'],
    packages: ['undici', 'zod'],
    because: 'a master seen from outside',
  },
  {
    folder: 'drill',
    may: ['base', 'build', 'api', 'exec', 'config', 'client'],
    packages: ['yaml'],
    because: 'a farm is hammered from outside: its programs are started as a user would, never imported',
  },
  {
    folder: 'runtime/master',
    may: ['base', 'build', 'api', 'exec', 'net', 'protocol', 'store', 'config'],
    packages: ['fastify', 'croner', 'pino', 'zod', 'kysely'],
    because: 'long-living programs do not import one another',
  },
  {
    folder: 'runtime/worker',
    may: ['base', 'build', 'exec', 'net', 'protocol', 'config'],
    packages: ['zod'],
    because: 'long-living programs do not import one another',
  },
  {
    folder: 'commands',
    may: [
      'base',
      'build',
      'api',
      'exec',
      'net',
      'protocol',
      'store',
      'config',
      'templates',
      'backup',
      'diagnostics',
      'client',
      'drill',
      'runtime',
    ],
    packages: ['commander', 'inquirer', 'chalk', 'pino', 'zod', 'yaml'],
    because: 'the terminal puts the parts together',
  },
];

/** Packages whose loading costs more than a help page may: only files that are themselves imported late may name them. */
const START_UP = 'commands/program.ts';

interface Import {
  from: string;
  to: string;
  /** `import type` and `import()` cost nothing at start-up. */
  kind: 'static' | 'type' | 'dynamic';
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
const imports = files.flatMap(importsOf);

describe('imports only go down', () => {
  it('sees the whole source tree', () => {
    expect(files).toContain(START_UP);
    expect(imports.length).toBeGreaterThan(files.length);
  });

  it.each(RULES)('$folder imports only what it may, since: $because', (rule) => {
    const wrong = imports
      .filter((found) => ruleOf(found.from) === rule)
      .filter((found) => !allowed(rule, found))
      .map((found) => `${found.from} imports ${found.to}`);
    expect(wrong).toEqual([]);
  });

  it('has a rule for every folder', () => {
    const homeless = files.filter((file) => file.includes('/') && ruleOf(file) === undefined);
    expect(homeless).toEqual([]);
  });

  it('has the folders that docs/architecture.md draws, and no others', () => {
    const page = readFileSync(join(SRC, '../docs/architecture.md'), 'utf8');
    const [tree = ''] = /^src\/.*?(?=```)/ms.exec(page) ?? [];
    const left = tree.split('\n').map((line) => line.replace(/(\S) {2,}.*/, '$1'));
    const drawn = left.flatMap((names) => names.match(/[\w-]+(?=\/)/g) ?? []);
    // The groups of checks are no more than the names of their files.
    const folders = files.map((file) => dirname(file).replace(/(?<=checks)\/.*/, ''));
    expect(new Set(drawn)).toEqual(
      new Set(['src', ...folders.flatMap((path) => path.split('/'))].filter((name) => name !== '.')),
    );
  });

  it('has no circle, not even of types', () => {
    expect(findCircle(imports.filter((found) => files.includes(found.to)))).toBeUndefined();
  });

  it('has no file that only passes on what others make', () => {
    const barrels = files.filter(
      (file) => /^export (\*|\{[^}]*\}) from/m.test(read(file)) && file !== 'index.ts',
    );
    expect(barrels).toEqual([]);
  });
});

describe('start-up', () => {
  it('loads the program tree without any other command code or heavy package', () => {
    const loaded = new Set<string>();
    const visit = (file: string) => {
      if (loaded.has(file)) return;
      loaded.add(file);
      for (const found of imports) if (found.from === file && found.kind === 'static') visit(found.to);
    };
    visit('commands/main.ts');
    visit(START_UP);
    const light =
      /^(base\/|commands\/(main|program|version)\.ts|commands\/(terminal|tree)\/|commander$|node:|\.\.\/package\.json)/;
    expect([...loaded].filter((file) => !light.test(file))).toEqual([]);
  });
});

function ruleOf(file: string): Rule | undefined {
  return RULES.filter((rule) => file.startsWith(`${rule.folder}/`)).sort(
    (a, b) => b.folder.length - a.folder.length,
  )[0];
}

function allowed(rule: Rule, { to }: Import): boolean {
  if (to.startsWith('node:')) return rule.node !== false;
  if (to.startsWith('../')) return to === '../package.json';
  if (!files.includes(to))
    return (rule.packages ?? []).some((name) => to === name || to.startsWith(`${name}/`));
  return [rule.folder, ...rule.may].some((folder) => to.startsWith(`${folder}/`));
}

function importsOf(from: string): Import[] {
  const pattern = /(?:^|\n)\s*(?:(import|export) (type )?(?:[^'";]*? from )?|.*?\bimport\()'([^']+)'/g;
  return [...read(from).matchAll(pattern)].map((match) => {
    const target = match[3] ?? '';
    const to = target.startsWith('.') ? relative(SRC, join(SRC, dirname(from), target)) : target;
    const kind = match[1] === undefined ? 'dynamic' : match[2] === undefined ? 'static' : 'type';
    return { from, to, kind };
  });
}

function read(file: string): string {
  return readFileSync(join(SRC, file), 'utf8');
}

/** The first circle of imports as a list of files, or undefined. */
function findCircle(edges: readonly Import[]): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const edge of edges) {
      if (edge.from !== file) continue;
      const circle = walk(edge.to, [...path, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const circle = walk(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
