import { join } from 'node:path';

/** Logs per folder; a million logs are a thousand folders of a thousand files. */
const PER_FOLDER = 1_000;

/** Where the files of a log stand. At any time one of `running` and `finished` is the log; for a moment both are, and equal. */
export function placeOf(dir: string, logid: number) {
  const folder = join(dir, String(Math.floor(logid / PER_FOLDER)));
  return {
    folder,
    running: join(folder, `${logid}.log`),
    finished: join(folder, `${logid}.zst`),
    /** Being compressed; worthless after a crash. */
    unfinished: join(folder, `${logid}.zst.new`),
  };
}
export type Place = ReturnType<typeof placeOf>;

/** The log that a file's name belongs to, and in which state; undefined for names that bbx does not give. */
export function logOfFile(
  name: string,
): { logid: number; kind: 'running' | 'finished' | 'unfinished' } | undefined {
  const match = /^(\d{1,15})\.(log|zst|zst\.new)$/.exec(name);
  if (match === null) return undefined;
  const kind = match[2] === 'log' ? 'running' : match[2] === 'zst' ? 'finished' : 'unfinished';
  return { logid: Number(match[1]), kind };
}
