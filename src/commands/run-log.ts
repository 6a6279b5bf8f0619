import type { Log } from '../base/log.ts';
import { sentences } from '../base/error.ts';
import { wrap } from '../base/lines.ts';
import { Chalk } from 'chalk';
import { isGuess } from '../config/cross-check.ts';
import type { Problem } from '../config/problem.ts';
import type { Context } from './terminal/context.ts';
import { printable } from './terminal/printable.ts';

export interface RunOptions {
  logFormat: 'text' | 'json';
  verbose?: boolean;
}

type Level = 'debug' | 'info' | 'warn' | 'error';
type Fields = Readonly<Record<string, unknown>>;

/**
 * The log of a long-living program, on stderr: for people a line with time, level, sentence and `name=value` facts (local time of day at a
 * terminal, UTC ISO 8601 elsewhere), or JSON lines. Written at once, so that nothing is lost when the process ends.
 */
export async function createRunLog(context: Context, options: RunOptions): Promise<Log> {
  const write = options.logFormat === 'json' || context.json ? await jsonWriter() : textWriter(context);
  const at =
    (level: Level) =>
    (message: string, fields: Fields = {}) =>
      write(level, message, fields);
  return {
    debug: options.verbose === true ? at('debug') : () => undefined,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}

async function jsonWriter() {
  const { default: pino } = await import('pino');
  const logger = pino(
    {
      level: 'debug',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 2, sync: true }),
  );
  return (level: Level, message: string, fields: Fields) => logger[level](plain(fields), message);
}

function textWriter(context: Context) {
  const { stderr, color } = context;
  const paint = new Chalk({ level: color && stderr.isTTY ? 1 : 0 });
  const colours = { debug: paint.dim, info: paint.reset, warn: paint.yellow, error: paint.red };
  const time = stderr.isTTY ? () => new Date().toLocaleTimeString('en-GB') : () => new Date().toISOString();
  return (level: Level, message: string, fields: Fields) => {
    const facts = Object.entries(plain(fields)).map(([name, value]) => `${name}=${fact(value)}`);
    const at = time();
    const head = `${paint.dim(at)} ${colours[level](level.padEnd(5))} `;
    const indent = ' '.repeat(at.length + 7);
    const said = oneLine(printable(message));
    // What is to be copied (a command, indented) stays one line.
    const width = stderr.isTTY && !said.startsWith(' ') ? stderr.columns - indent.length : Infinity;
    const lines = wrapped(said, printable(facts.join(' ')), width).map((line) =>
      [...(line.said === '' ? [] : [colours[level](line.said)]), paint.dim(line.facts)].join(' ').trimEnd(),
    );
    stderr.write(`${head}${lines.join(`\n${indent}`)}\n`);
  };
}

/** Narrower than this, words under the time and the level are no help. */
const NARROWEST = 40;

/** A sentence and its facts in lines of a width, broken at spaces, but in no command. */
function wrapped(said: string, facts: string, width: number): { said: string; facts: string }[] {
  if (width < NARROWEST || said.length + 1 + facts.length <= width) return [{ said, facts }];
  const sentence = wrap(said, width).map((line) => ({ said: line.trimEnd(), facts: '' }));
  const last = sentence.at(-1)?.said ?? '';
  if (facts === '') return sentence;
  // The facts begin behind the sentence's end, which is one long word to them.
  const [beside = '', ...below] = wrap(`${'x'.repeat(last.length)} ${facts}`, width);
  return [
    ...sentence.slice(0, -1),
    { said: last, facts: beside.slice(last.length + 1) },
    ...below.map((line) => ({ said: '', facts: line })),
  ];
}

/** Errors as their sentences: both writers would print `{}`, or a stack of no use to the reader. */
function plain(fields: Fields): Record<string, unknown> {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, value instanceof Error ? sentences(value).join(': ') : value]),
  );
}

function fact(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return /^[^\s"=]+$/.test(text) || typeof value === 'object' ? text : JSON.stringify(text);
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' | ');
}

/** What is odd in a configuration, but works. */
export function sayWarnings(log: Log, warnings: readonly Problem[]): void {
  for (const { file, line, message, fix } of warnings.filter((warning) => !isGuess(warning))) {
    log.warn(
      [line === null ? file : `${file}:${line}`, message, fix].filter((part) => part !== null).join(': '),
    );
  }
}
