import { defineCheck, found, skip, type Draft, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ProcessFact } from '../../facts/limits.ts';
import type { RoomFacts } from '../../facts/room.ts';
import { changeUnit, processes, topics } from './question.ts';

const MANY = 0.9;
/** A build's shell, its pipes and git need some processes at once; with fewer left, fork fails (EAGAIN). */
const FEW_TASKS = 8;

type Group = RoomFacts & Pick<ProcessFact, 'unit' | 'ownUnit'>;

export const lim06 = defineCheck<'host', readonly Group[]>({
  id: 'LIM-06',
  title: 'room for memory and processes in the control group',
  about: 'host',
  topics,
  needs: [],
  async gather(context) {
    const seen = await processes(context);
    return Promise.all(
      seen.map(async ({ pid, where, unit, ownUnit }) => ({
        ...(await context.probes.room(where, pid)),
        ...{ unit, ownUnit },
      })),
    );
  },
  judge: judgeRoom,
});

function judgeRoom(groups: readonly Group[]): Judgement {
  if (groups.every(({ memory, tasks, killed }) => memory === null && tasks === null && killed === null))
    return skip('no control group limits memory or processes here, as far as it can be seen');
  const told = new Set<string>();
  return found(
    ...groups.flatMap((group) =>
      [...memoryOf(group), ...tasksOf(group), ...killedOf(group)]
        // Programs of one group share its limits.
        .filter(({ key }) => !told.has(key) && told.add(key))
        .map(({ draft }) => draft),
    ),
  );
}

interface Told {
  readonly key: string;
  readonly draft: Draft;
}

function memoryOf(group: Group): Told[] {
  const { memory, where, at } = group;
  if (memory === null || memory.used < memory.most * MANY) return [];
  return [
    {
      key: `memory ${memory.group}`,
      draft: {
        status: 'warn',
        title: `The control group of ${where} has used ${percent(memory)} of its memory (${mib(memory.used)} of ${mib(memory.most)}): the kernel will end processes in it`,
        evidence: [
          evidence('proc', `memory of ${memory.group}`, `${memory.used} of ${memory.most} bytes`, at),
        ],
        fix: [
          raise(
            'Give the group more memory, or let fewer builds run in it at a time (maxBuilds)',
            group,
            'MemoryMax=4G',
          ),
        ],
      },
    },
  ];
}

function tasksOf(group: Group): Told[] {
  const { tasks, where, at } = group;
  if (tasks === null) return [];
  const left = tasks.most - tasks.used;
  if (tasks.used < tasks.most * MANY && left >= FEW_TASKS) return [];
  return [
    {
      key: `tasks ${tasks.group}`,
      draft: {
        status: left < FEW_TASKS ? 'error' : 'warn',
        title: `The control group of ${where} has ${tasks.used} of ${tasks.most} processes and threads: ${left < FEW_TASKS ? `with ${left <= 0 ? 'none' : left} left, builds cannot start their commands in it (EAGAIN)` : 'few are left'}`,
        evidence: [
          evidence(
            'proc',
            `pids.current of pids.max of ${tasks.group}`,
            `${tasks.used} of ${tasks.most}`,
            at,
          ),
        ],
        fix: [raise('Let the group have more processes', group, 'TasksMax=16384')],
      },
    },
  ];
}

function killedOf(group: Group): Told[] {
  const { killed, where, at } = group;
  // A shell's group holds whatever else the person did.
  if (killed === null || killed === 0 || where === 'this shell') return [];
  return [
    {
      key: `killed ${where}`,
      draft: {
        status: 'warn',
        title: `The kernel has ended ${killed} ${killed === 1 ? 'process' : 'processes'} in the control group of ${where} for lack of memory: builds failed by it`,
        evidence: [evidence('proc', `oom_kill of the group of ${where}`, String(killed), at)],
        fix: [
          raise(
            'Give the group more memory, or let fewer builds run in it at a time (maxBuilds)',
            group,
            'MemoryMax=4G',
          ),
        ],
      },
    },
  ];
}

function raise(text: string, group: Group, line: string) {
  return { text, commands: changeUnit(group, line) ?? ['cat /proc/self/cgroup'] };
}

function percent({ used, most }: { used: number; most: number }): string {
  return `${Math.round((used / most) * 100)} %`;
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
