import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { codes } from './codes.ts';
import { LARGEST_FILE_BYTES, plainDocument, type ConfigDocument } from './document.ts';

/** Configuration is data: what needs longer than this waits for something it should not wait for. */
const EVALUATE_MS = 10_000;
/** How much of the program's own words an error shows. */
const SHOWN_OUTPUT = 2_000;
/** The child writes its answer here; standard output stays free, so that a stray `console.log` is noticed. */
const ANSWER_FD = 3;

/**
 * Evaluates a `master.config.ts` in a process of its own, so that a reload is fresh and nothing of it stays, and gives the plain data
 * that it exports. `import … from 'bbx'` finds `defineMaster` wherever bbx is installed. Throws BBX-CFG-CODE; an aborted signal ends
 * the process and rejects with the signal's reason.
 */
export async function evaluateConfig(
  file: string,
  options: { signal?: AbortSignal | undefined; timeoutMs?: number } = {},
): Promise<ConfigDocument> {
  const { signal, timeoutMs = EVALUATE_MS } = options;
  signal?.throwIfAborted();
  const ran = await run(resolve(file), timeoutMs, signal);
  const fail = (problem: string, output = '', hint?: string) =>
    codes['BBX-CFG-CODE']({
      file,
      problem,
      output: output.trim().slice(0, SHOWN_OUTPUT),
      ...(hint === undefined ? {} : { hint }),
    });
  if (ran.late) throw fail(`it did not end within ${timeoutMs / 1000} s`, ran.stderr, LATE_HINT);
  if (ran.tooLong) throw fail(`it gives more than ${LARGEST_FILE_BYTES} bytes`);
  if (ran.stdout !== '')
    throw fail(
      'it writes to standard output, which belongs to the command that reads it',
      ran.stdout,
      'Write to standard error instead: console.error',
    );
  const answer = parseAnswer(ran.answer);
  if (answer === undefined)
    throw fail(`it ended (${ran.ended}) before it gave its configuration`, ran.stderr);
  if ('problem' in answer)
    throw fail(answer.problem, answer.stack ?? '', answer.stack === undefined ? SHAPE_HINT : undefined);
  return plainDocument(file, answer.value);
}

const LATE_HINT = 'Look for an endless loop, or for something that it awaits';
const SHAPE_HINT = 'It must end with: export default defineMaster({ … }), of plain data only';

type Answer = { value: unknown } | { problem: string; stack?: string };

function parseAnswer(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && ('value' in value || 'problem' in value)
      ? (value as Answer)
      : undefined;
  } catch {
    return undefined;
  }
}

interface Ran {
  answer: string;
  stdout: string;
  stderr: string;
  ended: string;
  late: boolean;
  tooLong: boolean;
}

function run(file: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<Ran> {
  return new Promise((done, fail) => {
    const child = spawn(
      process.execPath,
      ['--no-warnings', '--input-type=module', '--eval', EVALUATOR, '--', pathToFileURL(file).href],
      {
        cwd: dirname(file),
        env: { ...process.env, NODE_OPTIONS: '' },
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        // A group of its own, so that what it starts ends with it.
        detached: true,
      },
    );
    let [late, tooLong] = [false, false];
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended already.
      }
      // A descendant in another group could hold the pipes open for ever.
      for (const stream of child.stdio) stream?.destroy();
    };
    const timer = setTimeout(() => {
      late = true;
      end();
    }, timeoutMs);
    signal?.addEventListener('abort', end, { once: true });
    const collect = (index: number) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      child.stdio[index]?.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes <= LARGEST_FILE_BYTES) return;
        tooLong = true;
        end();
      });
      return () => Buffer.concat(chunks).toString('utf8');
    };
    const [stdout, stderr, answer] = [collect(1), collect(2), collect(ANSWER_FD)];
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    };
    child.on('error', (error) => {
      settle();
      fail(error);
    });
    child.on('close', (code, killed) => {
      settle();
      end();
      if (signal?.aborted) return fail(signal.reason as Error);
      const ended = code === null ? `signal ${killed}` : `exit code ${code}`;
      done({ answer: answer(), stdout: stdout(), stderr: stderr(), ended, late, tooLong });
    });
  });
}

/**
 * Runs in the child, as text, so that it needs no file of its own in the package. Only plain data may come out: a function or a
 * promise would be lost silently on the way through JSON, so each is named with its key path.
 */
const EVALUATOR = `
import { registerHooks } from 'node:module';
import { writeSync, closeSync } from 'node:fs';
const bbx = 'data:text/javascript,export const defineMaster = (config) => config;';
registerHooks({
  resolve: (name, context, next) => (name === 'bbx' ? { url: bbx, shortCircuit: true } : next(name, context)),
});
const answer = (value) => {
  let rest = Buffer.from(JSON.stringify(value));
  while (rest.length > 0) {
    try { rest = rest.subarray(writeSync(${ANSWER_FD}, rest)); } catch (error) { if (error.code !== 'EAGAIN') throw error; }
  }
  closeSync(${ANSWER_FD});
};
const step = (path, key) => /^[A-Za-z0-9_-]+$/.test(key) ? (path === '' ? key : path + '.' + key) : path + '[' + JSON.stringify(key) + ']';
const problemOf = (value, path, around) => {
  const what = path === '' ? 'the default export' : path;
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : what + ' is ' + value + ', which is no number that can be written';
  if (typeof value !== 'object') return what + ' is a ' + typeof value + ': only plain data can be configured';
  if (around.includes(value)) return what + ' holds itself';
  if (around.length > 50) return what + ' is nested too deeply';
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) {
      if (value[i] === undefined) return what + '[' + i + '] is undefined';
      const problem = problemOf(value[i], what + '[' + i + ']', [...around, value]);
      if (problem) return problem;
    }
    return undefined;
  }
  const proto = Object.getPrototypeOf(value);
  if (proto !== null && Object.getPrototypeOf(proto) !== null) return what + ' is a ' + (value.constructor?.name ?? 'thing') + ': only plain data can be configured';
  for (const key of Object.keys(value)) {
    const problem = problemOf(value[key], step(path, key), [...around, value]);
    if (problem) return problem;
  }
  return undefined;
};
try {
  const loaded = await import(process.argv[1]);
  if (!('default' in loaded)) answer({ problem: 'it has no default export' });
  else {
    const problem = problemOf(loaded.default, '', []);
    if (problem) answer({ problem });
    else if (typeof loaded.default !== 'object' || loaded.default === null) answer({ problem: 'its default export is no configuration' });
    else answer({ value: loaded.default });
  }
} catch (error) {
  const text = error instanceof Error ? error.name + ': ' + error.message : 'it threw ' + String(error);
  const stack = error instanceof Error ? String(error.stack).split('\\n').filter((line) => !/node:internal|\\[eval1\\]/.test(line)).join('\\n') : '';
  answer({ problem: 'it threw ' + text, stack });
}
process.exit();
`;
