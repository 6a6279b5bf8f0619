import { defineCheck, found, type Draft, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { ProcessFact } from '../../facts/limits.ts';
import { changeUnit, processes, topics } from './question.ts';

/** A master holds about fifty files of its own, and four for each worker; a worker three for each step that runs. */
const LEAST_FILES = 64;
const FEW_FILES = 256;
/** Room that a program should have beyond what it uses now. */
const ROOM = 1.2;

interface Files {
  readonly at: string;
  readonly processes: readonly ProcessFact[];
}

export const lim01 = defineCheck<'host', Files>({
  id: 'LIM-01',
  title: 'enough files and sockets may be open',
  about: 'host',
  topics,
  needs: [],
  async gather(context) {
    return { at: new Date().toISOString(), processes: await processes(context) };
  },
  judge: judgeFiles,
});

function judgeFiles({ at, processes }: Files): Judgement {
  return found(...processes.flatMap((one) => judgeProcess(one, at)));
}

function judgeProcess(process: ProcessFact, at: string): Draft[] {
  const { where, pid, fileLimit, openFiles } = process;
  if (fileLimit === null) return [];
  const open = openFiles ?? 0;
  const own = where === 'this shell';
  const tight = fileLimit < Math.max(LEAST_FILES, own ? 0 : open * ROOM);
  if (!tight && fileLimit >= FEW_FILES) return [];
  return [
    {
      status: tight ? 'error' : 'warn',
      title: own
        ? `Programs of this shell may have ${fileLimit} files and sockets open, which is ${tight ? 'not enough' : 'little'} for a master or worker`
        : `${where[0]?.toUpperCase() ?? ''}${where.slice(1)} may have ${fileLimit} files and sockets open, and has ${open}: new connections will fail (EMFILE)`,
      evidence: [
        evidence('proc', `Max open files of ${where} (pid ${pid})`, String(fileLimit), at),
        ...(own ? [] : [evidence('proc', `open files of ${where}`, String(open), at)]),
      ],
      fix: [
        own
          ? { text: 'Raise the limit before the start', commands: ['ulimit -n 65536'] }
          : {
              text: 'Raise the limit and start the program again (LimitNOFILE= of its unit; ulimit in a shell)',
              commands: changeUnit(process, 'LimitNOFILE=65536') ?? ['ulimit -n 65536'],
            },
      ],
    },
  ];
}
