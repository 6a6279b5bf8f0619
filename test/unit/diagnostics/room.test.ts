import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readClockMoves } from '../../../src/diagnostics/doors/clock-moves.ts';
import { readRoom } from '../../../src/diagnostics/doors/room.ts';
import { tempDir } from '../../rigs/temp-dir.ts';

const PID = 7;
const V2 = '0::/ci.slice/worker\n';
const V1 = '9:memory:/docker/a\n8:pids:/docker/a\n0::/\n';

describe('the room of a control group', () => {
  it.each<[string, string, Record<string, string>, object]>([
    ['nothing to be seen', '', {}, { memory: null, tasks: null, killed: null }],
    [
      'no limit',
      V2,
      {
        'ci.slice/worker/memory.max': 'max\n',
        'ci.slice/worker/memory.current': '7\n',
        'ci.slice/worker/pids.max': 'max\n',
      },
      { memory: null, tasks: null },
    ],
    [
      'version 2: of the group and what it is in, that which is nearer to its limit',
      V2,
      {
        ...{ 'ci.slice/worker/pids.max': '100\n', 'ci.slice/worker/pids.current': '10\n' },
        ...{ 'ci.slice/pids.max': '200\n', 'ci.slice/pids.current': '190\n' },
        'ci.slice/worker/memory.events': 'low 0\noom 2\noom_kill 3\n',
      },
      { tasks: { group: '/sys/fs/cgroup/ci.slice', most: 200, used: 190 }, killed: 3 },
    ],
    [
      'version 2: memory without what the kernel gives up first, which a build with many files fills',
      V2,
      {
        ...{ 'ci.slice/worker/memory.max': '1000\n', 'ci.slice/worker/memory.current': '950\n' },
        'ci.slice/worker/memory.stat':
          'anon 50\ninactive_file 400\nactive_file 450\nslab_reclaimable 50\nslab 60\n',
      },
      { memory: { group: '/sys/fs/cgroup/ci.slice/worker', most: 1_000, used: 50 } },
    ],
    [
      'version 1, whose groups inside a container are not at the path that the machine knows',
      V1,
      {
        ...{ 'memory/memory.limit_in_bytes': '1000\n', 'memory/memory.usage_in_bytes': '950\n' },
        'memory/memory.stat':
          'inactive_file 1\nactive_file 1\ntotal_inactive_file 60\ntotal_active_file 40\n',
        'memory/memory.oom_control': 'oom_kill_disable 0\noom_kill 2\n',
        ...{ 'pids/pids.max': 'max\n', 'pids/pids.current': '4\n' },
      },
      { memory: { group: '/sys/fs/cgroup/memory', most: 1_000, used: 850 }, tasks: null, killed: 2 },
    ],
    [
      'version 1 without a limit',
      V1,
      {
        'memory/docker/a/memory.limit_in_bytes': '9223372036854771712\n',
        'memory/docker/a/memory.usage_in_bytes': '950\n',
      },
      { memory: null },
    ],
    [
      'words where numbers should stand',
      V2,
      { 'ci.slice/worker/pids.max': '-7 x\n', 'ci.slice/worker/pids.current': 'many\n' },
      { tasks: null },
    ],
  ])('%s', async (_title, membership, files, expected) => {
    await using dir = await tempDir();
    const put = async (path: string, text: string) => {
      const file = join(dir.path, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    };
    await put(`proc/${PID}/cgroup`, membership);
    for (const [path, text] of Object.entries(files)) await put(join('sys/fs/cgroup', path), text);
    const room = await readRoom(PID, 'this shell', dir.path);
    const plain = JSON.parse(JSON.stringify(room).replaceAll(dir.path, '')) as object;
    expect(plain).toMatchObject(expected);
  });
});

describe('what three clocks tell of each other', () => {
  const began = { wall: 1_000, awake: 50, up: 60 };
  it.each([
    ['nothing', { wall: 1_030, awake: 80, up: 90 }, { jumped: 0, slept: 0, sleptInAll: 10 }],
    ['a clock set back', { wall: 430, awake: 80, up: 90 }, { jumped: -600, slept: 0 }],
    [
      'sleep, after which the time of day is right',
      { wall: 1_630, awake: 80, up: 690 },
      { jumped: 0, slept: 600 },
    ],
  ])('%s', (_title, now, expected) => {
    expect(readClockMoves(began, now)).toMatchObject(expected);
  });
});
