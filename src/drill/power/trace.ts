import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

/** What a program asked of its file system; times are epoch seconds, of the call's begin and end. */
export type DiskCall = { start: number; end: number } & (
  | { kind: 'open'; fd: number; path: string; create: boolean; truncate: boolean; append: boolean }
  | { kind: 'write'; fd: number; path: string; at: number | undefined; bytes: Buffer }
  | { kind: 'seek'; fd: number; at: number }
  | { kind: 'truncate'; path: string; size: number }
  | { kind: 'sync'; path: string }
  | { kind: 'mkdir' | 'unlink' | 'rmdir'; path: string }
  | { kind: 'rename'; path: string; to: string }
);

const text = (hex: string) => bytesOf(hex).toString('utf8');
const bytesOf = (hex: string) => Buffer.from(hex.replaceAll('\\x', ''), 'hex');

/** What `recordWords` had strace write of one tree of files, in the order in which the calls ended. */
export async function readTrace(file: string, root: string): Promise<DiskCall[]> {
  const calls: DiskCall[] = [];
  const begun = new Map<string, { start: number; words: string }>();
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    const match = /^(\d+) +(\d+\.\d+) (.*)$/.exec(line);
    if (match === null) continue;
    const [, pid = '', at = '', words = ''] = match;
    const time = Number(at);
    if (words.endsWith('<unfinished ...>')) {
      begun.set(pid, { start: time, words: words.slice(0, -'<unfinished ...>'.length) });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(words);
    const before = resumed === null ? undefined : begun.get(pid);
    const whole = resumed === null ? words : (before?.words ?? '') + resumed[1];
    const start = before?.start ?? time;
    const took = /<(\d+\.\d+)>$/.exec(whole)?.[1];
    const call = callOf(whole, root);
    if (call !== undefined) calls.push({ ...call, start, end: start + Number(took ?? 0) } as DiskCall);
  }
  return calls.sort((one, other) => one.end - other.end);
}

type Bare<Call> = Call extends unknown ? Omit<Call, 'start' | 'end'> : never;

function callOf(words: string, root: string): Bare<DiskCall> | undefined {
  const match = /^(\w+)\((.*)\) += (-?\d+)/.exec(words);
  if (match === null) return undefined;
  const [, name = '', args = '', result = ''] = match;
  if (Number(result) < 0) return undefined;
  const strings = [...args.matchAll(/"((?:\\x..)*)"(\.\.\.)?/g)];
  const names = strings.map(([, hex = '']) => text(hex));
  const [, fdText = '', fdHex = ''] = /^(\d+|AT_FDCWD)<((?:\\x..)*)>/.exec(args) ?? [];
  const place = text(fdHex);
  const fd = Number(fdText);
  const inside = (path: string) => path === root || path.startsWith(`${root}/`);
  const numbers = args.slice(args.lastIndexOf('"') + 1);
  const lastNumber = Number(/(-?\d+)$/.exec(numbers)?.[1]);
  const resolved = (path: string) => (path.startsWith('/') ? path : join(place, path));
  switch (name) {
    case 'openat':
    case 'open':
    case 'creat': {
      const path = resolved(names[0] ?? '');
      if (!inside(path))
        return { kind: 'open', fd: Number(result), path: '', create: false, truncate: false, append: false };
      return {
        ...{ kind: 'open', fd: Number(result), path, create: /O_CREAT/.test(args) },
        ...{ truncate: /O_TRUNC/.test(args), append: /O_APPEND/.test(args) },
      };
    }
    case 'lseek':
      return inside(place) ? { kind: 'seek', fd, at: Number(result) } : undefined;
    case 'write':
    case 'writev':
    case 'pwrite64':
    case 'pwritev':
    case 'pwritev2': {
      if (!inside(place)) return undefined;
      if (strings.some(([, , cut]) => cut !== undefined))
        throw new Error(`a write that was not recorded whole: ${place}`);
      const bytes = Buffer.concat(strings.map(([, hex = '']) => bytesOf(hex))).subarray(0, Number(result));
      const offset = /^\], \d+, (-?\d+)|^, \d+, (-?\d+)/.exec(
        name.startsWith('pwritev') ? args.slice(args.lastIndexOf(']')) : numbers,
      );
      const at = name.startsWith('p') ? Number(offset?.[1] ?? offset?.[2]) : undefined;
      return { kind: 'write', fd, path: place, at, bytes };
    }
    case 'fsync':
    case 'fdatasync':
      return inside(place) ? { kind: 'sync', path: place } : undefined;
    case 'ftruncate':
      return inside(place) ? { kind: 'truncate', path: place, size: lastNumber } : undefined;
    case 'mkdir':
    case 'mkdirat':
    case 'rmdir':
    case 'unlink':
    case 'unlinkat': {
      const path = resolved(names[0] ?? '');
      if (!inside(path)) return undefined;
      if (name.startsWith('mkdir')) return { kind: 'mkdir', path };
      return { kind: name === 'rmdir' || /AT_REMOVEDIR/.test(args) ? 'rmdir' : 'unlink', path };
    }
    case 'rename':
    case 'renameat':
    case 'renameat2': {
      const [from = '', to = ''] = names.map(resolved);
      return inside(from) || inside(to) ? { kind: 'rename', path: from, to } : undefined;
    }
    default:
      if (inside(place) || names.some((path) => inside(resolved(path))))
        throw new Error(`a call whose bytes are not seen: ${words.slice(0, 200)}`);
      return undefined;
  }
}
