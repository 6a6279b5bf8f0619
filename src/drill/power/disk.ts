import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Random } from '../random.ts';
import type { DiskCall } from './trace.ts';

/** What a disk may tear a write at. */
const SECTOR = 512;

type Change = { start: number; end: number } & ({ at: number; bytes: Buffer } | { size: number });
interface Inode {
  base: Buffer;
  changes: Change[];
  /** Times at which completed syncs began: what had ended before is durable. */
  syncs: { start: number; end: number }[];
}
/** `same`: no call has touched it, so it is as it was. */
type Entry = { inode: Inode } | 'folder' | 'same';
interface NameChange {
  start: number;
  end: number;
  path: string;
  /** Undefined: the name goes. */
  entry: Entry | undefined;
}

/** What is left of a directory: files by their path below it. A file that is the `same` is as it was when the recording began. */
export type Left = Map<string, Buffer | 'folder' | 'same'>;

/** A recorded disk: every file and name with all that was done to it, ready to be cut anywhere. */
export interface Recorded {
  /** The directory's files as a power loss at `time` may leave them; `random` decides what of the unsynced is there. */
  cut(time: number, random: Random): Left;
  readonly from: number;
  readonly to: number;
  /** Ends of syncs: the moments around which things go wrong. */
  readonly syncs: readonly number[];
}

/** The disk of the tree at `root`, which was as `base` is, when these calls were made. */
export async function recordedDisk(
  base: string,
  root: string,
  calls: readonly DiskCall[],
): Promise<Recorded> {
  const initial = new Map<string, Entry>();
  const touched = new Set(
    calls.flatMap((call) =>
      call.kind === 'rename' ? [call.path, call.to] : 'path' in call ? [call.path] : [],
    ),
  );
  for (const entry of await readdir(base, { recursive: true, withFileTypes: true })) {
    const path = join(root, relative(base, join(entry.parentPath, entry.name)));
    if (entry.isDirectory()) initial.set(path, 'folder');
    else if (entry.isFile() && !touched.has(path)) initial.set(path, 'same');
    else if (entry.isFile())
      initial.set(path, { inode: inodeOf(await readFile(join(entry.parentPath, entry.name))) });
  }
  const names = new Map(initial);
  const nameChanges = new Map<string, NameChange[]>();
  const folderSyncs = new Map<string, { start: number; end: number }[]>();
  const positions = new Map<number, { at: number; append: boolean }>();
  const sizes = new Map<Inode, number>();
  const sizeOf = (inode: Inode) => sizes.get(inode) ?? inode.base.length;
  const fileAt = (path: string) => {
    const entry = names.get(path);
    return typeof entry === 'object' ? entry.inode : undefined;
  };
  const rename = (call: DiskCall, path: string, entry: Entry | undefined) => {
    const { start, end } = call;
    const folder = dirname(path);
    const list = nameChanges.get(folder) ?? [];
    list.push({ start, end, path, entry });
    nameChanges.set(folder, list);
    if (entry === undefined) names.delete(path);
    else names.set(path, entry);
  };

  for (const call of calls) {
    const { start, end } = call;
    switch (call.kind) {
      case 'open': {
        if (call.path === '') {
          positions.delete(call.fd);
          break;
        }
        positions.set(call.fd, { at: 0, append: call.append });
        let inode = fileAt(call.path);
        if (inode === undefined && call.create)
          rename(call, call.path, { inode: (inode = inodeOf(Buffer.alloc(0))) });
        else if (inode !== undefined && call.truncate) {
          inode.changes.push({ start, end, size: 0 });
          sizes.set(inode, 0);
        }
        break;
      }
      case 'seek': {
        const position = positions.get(call.fd);
        if (position !== undefined) position.at = call.at;
        break;
      }
      case 'write': {
        const inode = fileAt(call.path);
        if (inode === undefined) break;
        const position = positions.get(call.fd) ?? { at: 0, append: false };
        const at = call.at ?? (position.append ? sizeOf(inode) : position.at);
        if (call.at === undefined) position.at = at + call.bytes.length;
        inode.changes.push({ start, end, at, bytes: call.bytes });
        sizes.set(inode, Math.max(sizeOf(inode), at + call.bytes.length));
        break;
      }
      case 'truncate': {
        const inode = fileAt(call.path);
        inode?.changes.push({ start, end, size: call.size });
        if (inode !== undefined) sizes.set(inode, call.size);
        break;
      }
      case 'sync': {
        const inode = fileAt(call.path);
        if (inode !== undefined) inode.syncs.push({ start, end });
        else folderSyncs.set(call.path, [...(folderSyncs.get(call.path) ?? []), { start, end }]);
        break;
      }
      case 'mkdir':
        rename(call, call.path, 'folder');
        break;
      case 'unlink':
      case 'rmdir':
        rename(call, call.path, undefined);
        break;
      case 'rename': {
        const entry = names.get(call.path);
        if (typeof entry !== 'object') throw new Error(`a folder was renamed: ${call.path}`);
        rename(call, call.to, entry);
        rename(call, call.path, undefined);
      }
    }
  }

  return {
    from: calls[0]?.start ?? 0,
    to: calls.at(-1)?.end ?? 0,
    syncs: calls.filter(({ kind }) => kind === 'sync').map(({ end }) => end),
    cut(time, random) {
      const left = new Map(initial);
      for (const [folder, changes] of nameChanges) {
        const durable = lastBefore(folderSyncs.get(folder) ?? [], time);
        const pending = changes.filter((change) => change.start < time && change.end > durable);
        // A file system keeps changes of one directory in their order, as far as it keeps them.
        const kept = new Set(pending.slice(0, Math.floor(random() * (pending.length + 1))));
        for (const change of changes) {
          if (change.start >= time || (change.end > durable && !kept.has(change))) continue;
          if (change.entry === undefined) left.delete(change.path);
          else left.set(change.path, change.entry);
        }
      }
      const keep = [0, 0.5, 1][Math.floor(random() * 3)]!;
      const files: Left = new Map();
      for (const [path, entry] of left) {
        // What is in a folder that is lost is lost with it.
        if (!reachable(left, root, path)) continue;
        files.set(
          relative(root, path),
          typeof entry === 'string' ? entry : contentAt(entry.inode, time, keep, random),
        );
      }
      return files;
    },
  };
}

function inodeOf(base: Buffer): Inode {
  return { base, changes: [], syncs: [] };
}

function reachable(names: ReadonlyMap<string, Entry>, root: string, path: string): boolean {
  for (let folder = dirname(path); folder !== root; folder = dirname(folder)) {
    if (names.get(folder) !== 'folder') return false;
  }
  return true;
}

/** When the newest sync began that had ended by then. */
function lastBefore(syncs: readonly { start: number; end: number }[], time: number): number {
  let last = -Infinity;
  for (const { start, end } of syncs) if (end <= time) last = Math.max(last, start);
  return last;
}

function contentAt(inode: Inode, time: number, keep: number, random: Random): Buffer {
  const durable = lastBefore(inode.syncs, time);
  const changes = inode.changes.filter(({ start }) => start < time);
  const ends = changes.map((change) => ('size' in change ? change.size : change.at + change.bytes.length));
  const room = Buffer.alloc(ends.reduce((most, end) => Math.max(most, end), inode.base.length));
  let length = inode.base.copy(room);
  const put = (at: number, bytes: Buffer) => {
    bytes.copy(room, at);
    length = Math.max(length, at + bytes.length);
  };
  for (const change of changes) {
    const sure = change.end <= durable;
    if (!sure && random() >= keep) continue;
    if ('size' in change) {
      // What was cut off reads as zeros when the file grows again.
      if (change.size < length) room.fill(0, change.size, length);
      length = change.size;
      continue;
    }
    const { at, bytes } = change;
    // Not synced: any of its sectors may be missing.
    if (sure || random() < 0.7) put(at, bytes);
    else {
      for (let from = 0; from < bytes.length;) {
        const to = Math.min(bytes.length, from + SECTOR - ((at + from) % SECTOR));
        if (random() < 0.7) put(at + from, bytes.subarray(from, to));
        from = to;
      }
    }
  }
  return room.subarray(0, length);
}
