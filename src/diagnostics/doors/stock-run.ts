import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import * as z from 'zod';
import { withoutCredentials } from '../../base/without-credentials.ts';
import type { StockListener, StockMaster } from '../../config/stock/master-file.ts';
import type { Setting } from '../../config/stock/written.ts';
import { runTree } from '../../exec/run-tree.ts';
import type { StockFacts, StockMasterFile, StockRun } from '../facts/stock.ts';
import { STOCK_SCRIPT } from './stock-script.ts';

/** A configuration that asks the network before it is done takes seconds; more than this is a fault of its own. */
const RUN_MS = 10_000;
const TERM_MS = 1_000;
/** Of what it prints, the answer comes last. */
const OUTPUT_BYTES = 256 * 1024;
/** Where people make Buildbot's virtual environment, beside or above the master's directory. */
const NEAR = ['venv', '.venv', 'sandbox', 'env'];
const SCRIPT_HEAD_BYTES = 256;

const answer = z.object({
  version: z.string().max(40).nullable(),
  errors: z.array(z.string().max(1_000)).max(20),
  values: z.record(z.string().max(100), z.union([z.string().max(300), z.number(), z.null()])),
});

export interface StockRunDoor {
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
  /** Less than the usual limit, where less time is left. */
  limitMs?: number;
}

/**
 * Runs the masters' configuration files with Buildbot's own Python (`--exec-config`), as `buildbot checkconfig` would, and gives the same facts with what they become in the
 * place of what is not written out. The files do what they like meanwhile, as they do at each start of the master; all processes of theirs are ended at the limit.
 */
export async function runStock(stock: StockFacts, door: StockRunDoor): Promise<StockFacts> {
  const masters = await Promise.all(
    stock.masters.map(async (file): Promise<StockMasterFile> => {
      const { run, values } = await runFile(file.file, door);
      return { ...file, run, master: { ...file.master, ...resolved(file.master, values) } };
    }),
  );
  return { ...stock, masters };
}

type Values = z.infer<typeof answer>['values'];

async function runFile(file: string, door: StockRunDoor): Promise<{ run: StockRun; values: Values }> {
  const at = new Date().toISOString();
  const started = performance.now();
  const done = (outcome: StockRun['outcome'], more: Partial<StockRun> = {}, values: Values = {}) => ({
    run: {
      at,
      outcome,
      program: null,
      version: null,
      errors: [],
      ms: Math.round(performance.now() - started),
      ...more,
    },
    values,
  });
  const found = await findPython(dirname(file), door.env);
  if (found === undefined) return done('no buildbot');
  const { program, python } = found;
  // Nobody prints it by chance; what the file itself wants to say of itself it may.
  const word = `bbx-doctor-${randomBytes(12).toString('hex')} `;
  let printed = '';
  const { ended } = await runTree({
    // -B: nothing is written beside the file.
    command: [...python, '-B', '-c', STOCK_SCRIPT, word, dirname(file), basename(file)],
    cwd: dirname(file),
    env: Object.fromEntries(
      Object.entries(door.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    marker: `doctor-${randomBytes(6).toString('hex')}`,
    identity: null,
    timeoutMs: null,
    maxTimeMs: Math.min(RUN_MS, door.limitMs ?? RUN_MS),
    sigtermTimeMs: TERM_MS,
    signal: door.signal,
    onOutput(channel, bytes) {
      if (channel === 'stdout') printed = `${printed}${bytes.toString('utf8')}`.slice(-OUTPUT_BYTES);
    },
  });
  door.signal.throwIfAborted();
  if (ended === 'maxTime') return done('late', { program });
  const line = printed.split('\n').findLast((one) => one.startsWith(word));
  const told = line === undefined ? undefined : readTold(line.slice(word.length));
  if (told === undefined) return done('failed', { program });
  const { version, errors, values } = told;
  if (version === null) return done('failed', { program, errors });
  const shown = errors.map((one) => withoutCredentials(one));
  return done(errors.length === 0 ? 'good' : 'errors', { program, version, errors: shown }, values);
}

function readTold(text: string): z.infer<typeof answer> | undefined {
  try {
    return answer.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Buildbot's program, and the Python that its first line names: of the active virtual environment, of one near the file, of the search path. */
async function findPython(
  dir: string,
  env: StockRunDoor['env'],
): Promise<{ program: string; python: string[] } | undefined> {
  const active = env['VIRTUAL_ENV'] ?? '';
  const candidates = [
    ...(active === '' ? [] : [join(active, 'bin')]),
    ...[dir, dirname(dir)].flatMap((one) => NEAR.map((name) => join(one, name, 'bin'))),
    ...(env['PATH'] ?? '').split(delimiter).filter((one) => one.startsWith('/')),
  ].map((one) => join(one, 'buildbot'));
  for (const program of candidates) {
    const head = await headOf(program);
    // A wrapper in another language (pyenv's) leads to another one further on.
    const python = /^#!\s*(\S*\/(?:env\s+(?:-S\s+)?)?\S*python\S*)[ \t]*(\S*)/.exec(head);
    if (python?.[1] !== undefined)
      return {
        program,
        python: [...python[1].split(/\s+/), python[2] ?? ''].filter((one) => one !== '' && one !== '-S'),
      };
  }
  return undefined;
}

async function headOf(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SCRIPT_HEAD_BYTES), 0, SCRIPT_HEAD_BYTES, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } catch {
    return '';
  }
}

/** The listeners and the URL with what they have become. */
function resolved(
  { listeners, buildbotUrl, protocolsUnknown }: StockMaster,
  values: Values,
): Pick<StockMaster, 'listeners' | 'buildbotUrl' | 'protocolsUnknown'> {
  const known = new Set(listeners.map(({ key }) => key));
  const added = Object.entries(values).flatMap(([key, value]): StockListener[] => {
    if (known.has(key) || value === null || key === URL_KEY) return [];
    const setting = settle({ written: [], unknown: [{ why: '', line: 1, column: 1 }], sure: false }, value);
    return [
      { key, way: key.includes("'www'") ? 'web' : key.includes('msgpack') ? 'msgpack' : 'pb', setting },
    ];
  });
  const settled = (key: string, setting: Setting) => {
    const value = values[key];
    return value === undefined || value === null ? setting : settle(setting, value);
  };
  return {
    listeners: [...listeners.map((one) => ({ ...one, setting: settled(one.key, one.setting) })), ...added],
    buildbotUrl: settled(URL_KEY, buildbotUrl),
    protocolsUnknown: added.length > 0 ? null : protocolsUnknown,
  };
}

const URL_KEY = "c['buildbotURL']";

/** Of several that could be, the one that it is; what was not written out stands at its place without a line to change. */
function settle(setting: Setting, value: string | number): Setting {
  const same = setting.written.filter((one) => one.value === value);
  if (same.length > 0) return { written: same.slice(0, 1), unknown: [], sure: true };
  const place = setting.unknown[0] ?? setting.written[0];
  if (place === undefined) return setting;
  const { line, column } = place;
  const excerpt = [`${line} | ${JSON.stringify(value)} when it runs`];
  return { written: [{ value, line, column, excerpt, literal: null, odd: [] }], unknown: [], sure: true };
}
