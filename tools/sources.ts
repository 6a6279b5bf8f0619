/**
 * Types and lint of all sources, in one process: the rules that ask for types ask the program that was just checked, instead of checking all of it
 * anew. `npm run types` and `npm run lint` are the same two, one by one. What is kept in `node_modules/.cache` makes the next run quicker.
 */
import { ESLint, type Linter } from 'eslint';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What `typescript-eslint` says of its parser is less than it takes. */
interface TypedParser {
  meta: { name: string; version: string };
  parseForESLint(code: string, options: object): Linter.ESLintParseResult;
}

const KEPT = `${root}node_modules/.cache/check/`;

mkdirSync(KEPT, { recursive: true });
const { program, problems } = checkTypes();
process.stdout.write(problems);
const { output, errors } = await lint(program);
process.stdout.write(output);
process.exitCode = problems === '' && errors === 0 ? 0 : 1;

/** As `tsc -p . --incremental` does it. */
function checkTypes(): { program: ts.Program; problems: string } {
  const host: ts.FormatDiagnosticsHost = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n',
  };
  const fail = (diagnostic: ts.Diagnostic) => {
    throw new Error(ts.formatDiagnostic(diagnostic, host));
  };
  const more = { incremental: true, tsBuildInfoFile: `${KEPT}types.json` };
  const config = ts.getParsedCommandLineOfConfigFile(`${root}tsconfig.json`, more, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: fail,
  });
  if (config === undefined) throw new Error('tsconfig.json gave nothing');
  const builder = ts.createIncrementalProgram({
    rootNames: config.fileNames,
    options: config.options,
    configFileParsingDiagnostics: config.errors,
  });
  const found = [
    ...builder.getConfigFileParsingDiagnostics(),
    ...builder.getOptionsDiagnostics(),
    ...builder.getSyntacticDiagnostics(),
    ...builder.getGlobalDiagnostics(),
    ...builder.getSemanticDiagnostics(),
  ];
  builder.emit();
  return { program: builder.getProgram(), problems: ts.formatDiagnostics(found, host) };
}

async function lint(program: ts.Program): Promise<{ output: string; errors: number }> {
  const parser = tseslint.parser as unknown as TypedParser;
  const eslint = new ESLint({
    cwd: root,
    cache: true,
    cacheLocation: `${KEPT}lint.json`,
    overrideConfig: {
      languageOptions: {
        // A parser of its own, since a program is nothing that the cache could tell from another.
        parser: {
          meta: parser.meta,
          parseForESLint: (code: string, options: object) =>
            parser.parseForESLint(code, { ...options, projectService: false, programs: [program] }),
        },
      },
    },
  });
  const results = await eslint.lintFiles(['.']);
  const format = await eslint.loadFormatter('stylish');
  const errors = results.reduce(
    (sum, { errorCount, fatalErrorCount }) => sum + errorCount + fatalErrorCount,
    0,
  );
  return { output: await format.format(results), errors };
}
