/**
 * Builds what is published: `dist/main.js` with everything it needs, in chunks that are loaded when a command needs them, so that an
 * installed bbx has no dependencies to resolve and starts fast; and `dist/index.d.ts` for the editors of those who write a
 * `master.config.ts`. `npm pack` runs it (`prepack`). `node tools/build.ts DIR` builds into another directory than `dist`.
 */
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { cp, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { schemaText } from '../src/config/schema-text.ts';
import { packageTypes } from './types.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Commander starts programs of other files, which bbx has none of: it gets what that takes when it asks, and `--help` starts 2 ms sooner. */
const lateChildProcess: Plugin = {
  name: 'late-child-process',
  setup(build) {
    build.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[\\/]node_modules[\\/]commander[\\/]/.test(importer)
        ? { path: 'child_process', namespace: 'late' }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'late' }, () => ({
      contents: `export default { spawn: (...words) => require('node:child_process').spawn(...words) };`,
    }));
  },
};

/**
 * `import` of one of these evaluates all that it exports, which of `http` is Node's whole `fetch` (50 ms of processor), and of `util` a dozen
 * modules that nobody here uses (6 ms); who asks for the module itself gets what he uses.
 */
const LAZY_BUILTINS = /^(node:)?(http|util)$/;

const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter: LAZY_BUILTINS }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'lazy' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('${path}');`,
    }));
  },
};

/** Whether the program would load one of them whole after all. */
function isWholeBuiltin({
  path,
  kind,
  external,
}: {
  path: string;
  kind: string;
  external?: boolean;
}): boolean {
  return external === true && kind === 'import-statement' && LAZY_BUILTINS.test(path);
}

/** The texts of the schemas in the place of what makes them: they are the same in each run, and making them takes zod. */
const readySchemas: Plugin = {
  name: 'ready-schemas',
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/]config[\\/]schema-text\.ts$/ }, async () => {
      const texts = { master: await schemaText('master'), worker: await schemaText('worker') };
      return {
        contents: `const texts = ${JSON.stringify(texts)};\nexport const schemaText = async (role) => texts[role];\n`,
      };
    });
  },
};

const outdir = resolve(process.argv[2] ?? `${root}/dist`);
await rm(outdir, { recursive: true, force: true });
const options = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  plugins: [lateChildProcess, lazyBuiltins, readySchemas],
  target: 'node24',
  chunkNames: 'chunks/[name]-[hash]',
  minifySyntax: true,
  // V8 keeps the texts of what it has loaded: half of them, in a master 2 MB, would be indents and comments. Names stay, for stacks.
  minifyWhitespace: true,
  // Node shows the line that threw.
  lineLimit: 160,
  legalComments: 'linked',
  // Some dependencies are CommonJS and call require() of Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
} satisfies BuildOptions;
const results = await Promise.all([
  build({
    ...options,
    entryPoints: { main: 'src/commands/main.ts' },
    // What every command loads is one file so: esbuild puts together what has the same users, and this has all. As fifteen it took 4 ms more to load.
    inject: ['src/commands/main.ts', 'src/commands/program.ts'],
  }),
  // Programs of their own: the library, and the keeper, which a worker starts and which is to be as light as can be.
  build({ ...options, entryPoints: { index: 'src/index.ts', keeper: 'src/runtime/worker/keeper/main.ts' } }),
]);
await writeFile(`${outdir}/index.d.ts`, await packageTypes());
// What `bbx doctor explain` reads.
await cp(`${root}/docs/doctor`, `${outdir}/doctor`, { recursive: true });
const files = results.flatMap(({ metafile }) => Object.values(metafile.outputs));
const whole = files.flatMap(({ imports }) => imports).find(isWholeBuiltin);
if (whole !== undefined) throw new Error(`the program imports "${whole.path}" whole: see LAZY_BUILTINS`);
const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
process.stderr.write(`dist: ${files.length} files, ${Math.round(bytes / 1024)} KiB\n`);
