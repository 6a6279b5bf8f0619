import { printBytes } from '../../../base/bytes.ts';
import { defineCheck, found, skip, type Draft, type Judgement } from '../../check.ts';
import { dirFlag, evidence, pasted } from '../../evidence.ts';
import { roomOf, type DiskFact, type DiskFacts } from '../../facts/disks.ts';
import type { ProgramSubject } from '../../subject.ts';

export const dsk01 = defineCheck<'program', DiskFacts>({
  id: 'DSK-01',
  title: 'room on the disks of the directory',
  about: 'program',
  topics: ['host'],
  needs: [],
  gather: (context, program) => context.probes.disks(program),
  judge: judgeDisks,
});

function judgeDisks({ at, disks, unseen }: DiskFacts, program: ProgramSubject): Judgement {
  if (disks.length === 0)
    return skip(unseen.length > 0 ? `this user cannot see ${unseen[0]}` : 'nothing of it needs a disk');
  return found(...disks.flatMap((disk) => judgeDisk(disk, at, program)));
}

function judgeDisk(disk: DiskFact, at: string, { role, shown }: ProgramSubject): Draft[] {
  const { path, parts, bytes, freeBytes, freeFiles } = disk;
  const state = roomOf(disk);
  if (state === 'enough') return [];
  const full = state !== 'nearly full';
  const what = parts.join(' and ');
  const room =
    state === 'no files' ? `no more files (inodes)` : `${printBytes(freeBytes)} of ${printBytes(bytes)}`;
  return [
    {
      status: full ? 'error' : 'warn',
      title: full
        ? `The disk of ${what} of the ${role} is full: ${room} ${state === 'no files' ? 'fit on it' : 'left'}; ${effectOf(parts)}`
        : `The disk of ${what} of the ${role} is nearly full: ${room} left`,
      target: path,
      evidence: [
        evidence(
          'file',
          `statfs ${path}`,
          `${freeBytes} of ${bytes} bytes free${freeFiles === null ? '' : `, ${freeFiles} files`}`,
          at,
        ),
      ],
      fix: [
        {
          text: 'See what takes the room, and free some: all goes on by itself then',
          commands: [`df -h ${pasted(path)}`, `du -xsh ${pasted(path)}/*`],
        },
        ...(parts.includes('logs')
          ? [
              {
                text: 'Or keep less: retention.logs of master.yaml',
                commands: [
                  `bbx config set retention.logs 14d${dirFlag(shown)}`,
                  `bbx config apply${dirFlag(shown)}`,
                ],
              },
            ]
          : []),
      ],
    },
  ];
}

/** What a full disk means to people, by the part that suffers most. */
function effectOf(parts: readonly string[]): string {
  if (parts.includes('store'))
    return 'nothing new is taken and no end of a build is written until there is room';
  if (parts.includes('logs')) return 'output waits at the workers until there is room';
  if (parts.includes('spool')) return 'steps are held up, and builds refused, until there is room';
  return 'builds fail or are refused until there is room';
}
