import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GroupLimit, RoomFacts } from '../facts/room.ts';

/** A group deeper than this is looked at from its own end on. */
const MOST_LEVELS = 16;
/** cgroup v1 has no word for "no limit" but a number that no machine reaches. */
const NO_LIMIT = 2 ** 60;

/** What the kernel gives up before it ends a process: pages of files, and its own tables of them. Builds fill whatever is free with those. */
const FREEABLE = ['inactive_file', 'active_file', 'slab_reclaimable'];

/** Names of files of one version of cgroups, and where its groups are. */
interface Version {
  readonly mount: string;
  readonly path: string;
  readonly memory: { readonly most: string; readonly used: string; readonly killed: string };
}

const V2 = { most: 'memory.max', used: 'memory.current', killed: 'memory.events' };
const V1 = { most: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', killed: 'memory.oom_control' };

/** Reads the limits of the groups that a process is in (cgroups(7), version 2 or 1), without privilege. `root` stands in for / in tests. */
export async function readRoom(pid: number, where: string, root = '/'): Promise<RoomFacts> {
  const at = new Date().toISOString();
  const lines = (await text(join(root, 'proc', String(pid), 'cgroup'))).split('\n');
  const pathOf = (wanted: (controllers: string) => boolean) => {
    for (const line of lines) {
      const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (controllers !== undefined && path !== undefined && wanted(controllers)) return path;
    }
    return undefined;
  };
  const groups = join(root, 'sys/fs/cgroup');
  const unified = pathOf((controllers) => controllers === '');
  const find = async (controller: string): Promise<Omit<Version, 'memory'> & { readonly version: 1 | 2 }> => {
    const old = pathOf((controllers) => controllers.split(',').includes(controller));
    if (old !== undefined) return { mount: join(groups, controller), path: old, version: 1 };
    return { mount: groups, path: unified ?? '/', version: 2 };
  };
  const [memory, tasks] = await Promise.all([find('memory'), find('pids')]);
  const names = memory.version === 1 ? V1 : V2;
  return {
    at,
    where,
    memory: nearest(await levels(memory, names.most, names.used, FREEABLE)),
    tasks: nearest(await levels(tasks, 'pids.max', 'pids.current')),
    killed: numberOf(/^oom_kill (\d+)$/m.exec(await ofGroup(memory, names.killed))?.[1]),
  };
}

/** Every level that has a limit. Inside a container the path is that of the machine outside, and its own group is the top of what is mounted. */
async function levels(
  { mount, path }: Pick<Version, 'mount' | 'path'>,
  most: string,
  used: string,
  freeable: readonly string[] = [],
): Promise<GroupLimit[]> {
  const limits = await Promise.all(
    pathsUp(path).map(async (one): Promise<GroupLimit[]> => {
      const group = join(mount, one === '/' ? '.' : one);
      const [limit, now, stat] = await Promise.all([
        text(join(group, most)),
        text(join(group, used)),
        freeable.length === 0 ? '' : text(join(group, 'memory.stat')),
      ]);
      const [limited, using] = [numberOf(limit.trim()), numberOf(now.trim())];
      if (limited === null || using === null || limited >= NO_LIMIT) return [];
      // Version 1 has a figure of the group alone and one of all below it (total_…).
      const of = (word: string) =>
        numberOf(
          (new RegExp(`^total_${word} (\\d+)$`, 'm').exec(stat) ??
            new RegExp(`^${word} (\\d+)$`, 'm').exec(stat))?.[1],
        ) ?? 0;
      const free = freeable.reduce((sum, word) => sum + of(word), 0);
      return [{ group, most: limited, used: Math.max(0, using - free) }];
    }),
  );
  return limits.flat();
}

async function ofGroup({ mount, path }: Pick<Version, 'mount' | 'path'>, file: string): Promise<string> {
  const own = await text(join(mount, path, file));
  return own === '' ? text(join(mount, file)) : own;
}

function pathsUp(path: string): string[] {
  const all = [path];
  while (all.length < MOST_LEVELS && all.at(-1) !== '/') all.push(dirname(all.at(-1) ?? '/'));
  return all;
}

function nearest(limits: readonly GroupLimit[]): GroupLimit | null {
  return limits.toSorted((a, b) => b.used / b.most - a.used / a.most)[0] ?? null;
}

function numberOf(word: string | undefined): number | null {
  return word !== undefined && /^\d+$/.test(word) ? Number(word) : null;
}

function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
