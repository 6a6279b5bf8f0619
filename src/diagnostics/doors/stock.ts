import { access, constants, open, readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { errnoOf } from '../../base/error.ts';
import { readListener } from '../../config/stock/endpoint-reading.ts';
import { readMasterFile, type StockMaster } from '../../config/stock/master-file.ts';
import { readModule, type PyModule } from '../../config/stock/module.ts';
import { placeOf, readSource } from '../../config/stock/source.ts';
import { readTacFile } from '../../config/stock/tac-file.ts';
import { excerptOf } from '../../config/stock/written.ts';
import type {
  StockFacts,
  StockFile,
  StockMasterFile,
  StockTrouble,
  StockWorkerFile,
} from '../facts/stock.ts';

/** Far more than anybody writes by hand. */
const MOST_BYTES = 2 * 1024 * 1024;
const MASTER_FILE = 'master.cfg';
const TAC_FILE = 'buildbot.tac';

interface Gathered {
  readonly masters: StockMasterFile[];
  readonly workers: StockWorkerFile[];
  readonly troubles: StockTrouble[];
}

/**
 * Reads files of stock Buildbot: those named, and those of directories that are named (or of `master` and `worker` in them). What is
 * bbx's own or nothing of Buildbot's is passed over. Never runs anything, and never throws for what is in the files.
 */
export async function readStock(paths: readonly string[], cwd: string, named: boolean): Promise<StockFacts> {
  const gathered: Gathered = { masters: [], workers: [], troubles: [] };
  const seen = new Set<string>();
  for (const path of paths) {
    for (const file of await filesAt(resolve(cwd, path))) {
      if (seen.has(file)) continue;
      seen.add(file);
      await readInto(gathered, { file, shown: shownAs(file, cwd), named }, cwd, seen);
    }
  }
  return gathered;
}

/** Whether a directory, or `master` or `worker` in it, has a file of stock Buildbot. */
export async function holdsStock(dir: string): Promise<boolean> {
  return (await isDirectory(dir)) && (await filesAt(dir)).length > 0;
}

async function filesAt(path: string): Promise<string[]> {
  if (!(await isDirectory(path))) return isOurs(path) ? [] : [path];
  const here = await among(path);
  if (here.length > 0) return here;
  return [...(await among(join(path, 'master'))), ...(await among(join(path, 'worker')))];
}

/** A master's directory has both files; its configuration is then what its `.tac` names. */
async function among(dir: string): Promise<string[]> {
  const files = [join(dir, TAC_FILE), join(dir, MASTER_FILE)];
  const there = await Promise.all(files.map((file) => exists(file)));
  return files.filter((_, index) => there[index]);
}

function isOurs(path: string): boolean {
  return /\.(ya?ml|ts|json)$/.test(path);
}

async function readInto(
  gathered: Gathered,
  at: Omit<StockFile, 'covered'>,
  cwd: string,
  seen: Set<string>,
): Promise<void> {
  const trouble = (problem: string, line: number | null = null, excerpt: readonly string[] = []) =>
    gathered.troubles.push({ ...at, problem, line, excerpt });
  const bytes = await readBounded(at.file);
  if (typeof bytes === 'string') return void trouble(bytes);
  const module = readModule(readSource(bytes));
  if (module.trouble !== undefined) {
    const { at: place, problem } = module.trouble;
    trouble(`Python refuses it: ${problem}`, placeOf(module.source, place).line, excerptAt(module, place));
    if (module.source.trouble !== undefined) return;
  }
  const pid = await runningPid(dirname(at.file));
  const whole = { ...at, covered: module.covered, pid };
  if (!at.file.endsWith('.tac')) {
    if (module.trouble !== undefined) return;
    const master = readMasterFile(module);
    gathered.masters.push({ ...whole, master, missing: await missingFiles(master, dirname(at.file)) });
    return;
  }
  const tac = readTacFile(module);
  if (tac.kind === 'worker') gathered.workers.push({ ...whole, worker: tac.worker });
  else if (tac.kind === 'master' && tac.configFile !== null) {
    const file = join(dirname(at.file), tac.configFile);
    // Beside the usual one, a `.tac` may name a file of its own; only there is it looked for.
    if (dirname(file) !== dirname(at.file) || seen.has(file)) return;
    seen.add(file);
    await readInto(gathered, { ...at, file, shown: shownAs(file, cwd) }, cwd, seen);
  } else if (tac.kind === 'other' && module.trouble === undefined)
    trouble('neither a worker nor a master of Buildbot is made in it in words that can be read');
}

function excerptAt(module: PyModule, at: number): readonly string[] {
  // Of a text that is not ended, it is not known what is a password: the words before it are enough.
  return module.source.trouble === undefined ? excerptOf(module, at, at + 1).slice(1) : [];
}

/** Files that the `ssl:` ports name and this user cannot read; Buildbot looks for them from the master's directory. */
async function missingFiles(master: StockMaster, dir: string): Promise<string[]> {
  const files = new Set<string>();
  for (const { setting, way } of master.listeners)
    for (const { value } of setting.written) {
      if (typeof value !== 'string') continue;
      const { server } = readListener(value, way);
      if (server?.kind !== 'ssl') continue;
      const key = server.files.get('privateKey') ?? 'server.pem';
      for (const file of [key, ...server.files.values()]) files.add(file);
    }
  const there = await Promise.all([...files].map((file) => isReadable(resolve(dir, file))));
  return [...files].filter((_, index) => there[index] === false);
}

async function isReadable(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** The bytes of a plain file, or why there are none. */
async function readBounded(file: string): Promise<Buffer | string> {
  try {
    const { size } = await stat(file).then((found) => (found.isFile() ? found : Promise.reject(notPlain())));
    if (size > MOST_BYTES) return `it has ${size} bytes; more than ${MOST_BYTES} are not read`;
    await using handle = await open(file, 'r');
    const buffer = Buffer.alloc(MOST_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) break;
    }
    return length > MOST_BYTES ? `more than ${MOST_BYTES} bytes are not read` : buffer.subarray(0, length);
  } catch (error) {
    const words: Readonly<Record<string, string>> = {
      ENOENT: 'no such file',
      EACCES: 'permission denied',
      EISDIR: 'a directory',
    };
    const errno = errnoOf(error) ?? 'no plain file';
    return words[errno] ?? errno;
  }
}

function notPlain(): Error {
  return new Error('no plain file');
}

/**
 * Buildbot's process of a directory: the one that `twistd.pid` names, or, since it writes none under a service manager, the one that works in that
 * directory. Null where there is none that this user can see.
 */
async function runningPid(dir: string): Promise<number | null> {
  const text = await readFile(join(dir, 'twistd.pid'), 'utf8').catch(() => '');
  const written = /^\s*(\d{1,9})\s*$/.exec(text.slice(0, 20))?.[1];
  if (written !== undefined && (await isBuildbot(written))) return Number(written);
  const home = await realpath(dir).catch(() => dir);
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const homes = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  for (const pid of pids.filter((_, index) => homes[index] === home))
    if (await isBuildbot(pid)) return Number(pid);
  return null;
}

async function isBuildbot(pid: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return /python/.test(command) && /twistd|buildbot/.test(command);
}

function shownAs(file: string, cwd: string): string {
  const near = relative(cwd, file);
  return near.startsWith('..') ? file : near || basename(file);
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => errnoOf(error) === 'EACCES',
  );
}
