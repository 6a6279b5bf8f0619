import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BbxError } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { readDirectory, type DirectoryFacts } from './directory.ts';
import { readStock } from './doors/stock.ts';
import type { StockFacts } from './facts/stock.ts';
import type { Question } from './plan/question.ts';

/** What a call finds on the disk before anything is asked. */
export interface Places {
  readonly directory: DirectoryFacts;
  /** Directories of `doctor config PATH …` beyond the first. */
  readonly others: readonly DirectoryFacts[];
  readonly stock: StockFacts | undefined;
}

interface PlaceOptions {
  readonly cwd: string;
  readonly dir?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Topics that look at stock Buildbot's files where the current directory has some. */
const STOCK_TOPICS = new Set<Question['topic']>([undefined, 'ipv6', 'config', 'mail', 'source']);

/** Whether a call of that topic reads files of stock Buildbot in its directory. */
export function readsStock(topic: Question['topic']): boolean {
  return STOCK_TOPICS.has(topic);
}

/**
 * Reads the files that a call is about: those that are named, or else those of the directory. Throws BBX-USAGE (exit 6) for a named
 * path that is not there, or holds nothing of bbx's or Buildbot's.
 */
export async function readPlaces(
  question: Question,
  options: PlaceOptions,
  signal: AbortSignal,
): Promise<Places> {
  const { cwd, env, dir } = options;
  const paths = question.stock === undefined ? (question.paths ?? []) : [question.stock];
  if (paths.length > 0) return readNamed(paths, options, signal);
  const directory = await readDirectory(cwd, env, signal, dir);
  const isOurs = directory.master !== undefined || directory.worker !== undefined;
  const isNamed = question.target !== undefined || (question.listen ?? []).length > 0;
  if (isOurs || isNamed || !readsStock(question.topic)) return { directory, others: [], stock: undefined };
  const stock = await readStock([dir ?? '.'], cwd, dir !== undefined);
  return { directory, others: [], stock: isEmpty(stock) ? undefined : stock };
}

async function readNamed(
  paths: readonly string[],
  { cwd, env }: PlaceOptions,
  signal: AbortSignal,
): Promise<Places> {
  const found: DirectoryFacts[] = [];
  const stocks: StockFacts[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    const at = resolve(cwd, path);
    const there = await stat(at).catch(() => undefined);
    if (there === undefined) throw nothingAt(path, 'there is nothing by that name');
    const stock = await readStock([path], cwd, true);
    stocks.push(stock);
    const dir = there.isDirectory() ? at : dirname(at);
    const isOurs = there.isDirectory() || /\.(ya?ml|ts)$/.test(at);
    const directory = isOurs && !seen.has(dir) ? await readDirectory(cwd, env, signal, dir) : NOTHING;
    seen.add(dir);
    const isFound = directory.master !== undefined || directory.worker !== undefined;
    if (isFound) found.push(directory);
    else if (isEmpty(stock) && !isOurs) throw nothingAt(path, 'it is no configuration of bbx or Buildbot');
    else if (isEmpty(stock) && directory !== NOTHING)
      throw nothingAt(path, 'no master.yaml, worker.yaml, master.cfg or buildbot.tac is there');
  }
  const [directory = NOTHING, ...others] = found;
  return { directory, others, stock: joined(stocks) };
}

/** What several paths have led to; a file that more than one of them led to counts once. */
function joined(stocks: readonly StockFacts[]): StockFacts {
  const all = <Kind extends keyof StockFacts>(kind: Kind): StockFacts[Kind][number][] => [
    ...new Map(
      stocks
        .flatMap((stock): readonly StockFacts[Kind][number][] => stock[kind])
        .map((one) => [one.file, one]),
    ).values(),
  ];
  return { masters: all('masters'), workers: all('workers'), troubles: all('troubles') };
}

/** What is known of files that were not read in time. */
export const NO_PLACES: Places = {
  directory: { master: undefined, worker: undefined, beside: undefined },
  others: [],
  stock: undefined,
};

/** Where a call looks for files, as people would type it. */
export function shownPlaces({ paths = [], stock }: Question, { dir }: Pick<PlaceOptions, 'dir'>): string {
  if (stock !== undefined) return stock;
  return paths.length > 0 ? paths.join(' ') : (dir ?? '.');
}

const NOTHING: DirectoryFacts = { master: undefined, worker: undefined, beside: undefined };

function isEmpty({ masters, workers, troubles }: StockFacts): boolean {
  return masters.length + workers.length + troubles.length === 0;
}

function nothingAt(path: string, why: string): BbxError {
  return new BbxError({
    code: 'BBX-USAGE',
    message: `Nothing to look at in ${JSON.stringify(path)}: ${why}`,
    hint: 'Name a directory of a master or a worker, or one of its files',
    exit: EXIT.notFound,
  });
}
