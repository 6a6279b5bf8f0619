import { defineCheck, found, skip, type Draft, type Judgement } from '../../check.ts';
import { evidence, pasted } from '../../evidence.ts';
import type { RunAsFacts } from '../../facts/run-as.ts';
import type { ProgramSubject } from '../../subject.ts';

export const run01 = defineCheck<'program', { at: string; runAs: RunAsFacts | undefined }>({
  id: 'RUN-01',
  title: 'the master or worker runs, or could',
  about: 'program',
  topics: ['ipv6', 'listen', 'path', 'host'],
  needs: [],
  async gather(context, program) {
    return { at: new Date().toISOString(), runAs: await context.probes.runAs(program) };
  },
  judge: ({ at, runAs }, program) => judgeProgram(at, runAs, program),
});

function judgeProgram(at: string, runAs: RunAsFacts | undefined, program: ProgramSubject): Judgement {
  const drafts = runAs === undefined ? [] : judgeUser(runAs, program);
  if (program.running === undefined && drafts.length === 0)
    return skip('this user cannot see whether it runs');
  if (program.running !== false) return found(...drafts);
  const { role, shown } = program;
  // The command finds `./master` by itself.
  const start = `bbx run ${role}${shown === '.' || shown === role ? '' : ` ${pasted(shown)}`}`;
  return found(...drafts, {
    status: 'info',
    title: `The ${role}${shown === '.' ? ' of this directory' : ''} does not run: ${start}`,
    evidence: [evidence('proc', `lock and control socket of ${program.dir}`, 'nobody has them', at)],
    fix: [{ text: 'Start it, if it shall run', commands: [start] }],
  });
}

/** What hinders builds from running as the user that `runAs` names. */
function judgeUser(facts: RunAsFacts, program: ProgramSubject): Draft[] {
  const { at, user, state, closed, unseen } = facts;
  const file = `${program.shown}/worker.yaml`;
  // A worker that runs took its user at its start.
  const again = program.running === true ? ' again' : '';
  const written = evidence('file', `runAs of ${file}`, user, at);
  const dir = program.shown === '.' ? '' : ` --dir ${pasted(program.shown)}`;
  if (state === 'missing') {
    return [
      {
        status: 'warn',
        title: `The worker cannot start${again}: it is to run builds as "${user}" (runAs), and this machine has no such user`,
        evidence: [written, evidence('cmd', `getent passwd ${user}`, 'no such user', at)],
        fix: [
          { text: 'Make the user', commands: [`sudo useradd --create-home ${user}`] },
          { text: 'Or name another', commands: [`bbx config set runAs USER${dir}`] },
        ],
      },
    ];
  }
  if (state === 'root') {
    return [
      {
        status: 'warn',
        title: `The worker cannot start${again}: it is to run builds as "${user}" (runAs), which is root and so protects nothing`,
        evidence: [written],
        fix: [{ text: 'Name an ordinary user', commands: [`bbx config set runAs USER${dir}`] }],
      },
    ];
  }
  if (closed !== null) {
    return [
      {
        status: 'warn',
        title: `Builds will be refused: their user "${user}" (runAs) may not pass the directory ${closed}`,
        target: closed,
        evidence: [
          written,
          evidence('file', `directory of the worker`, program.dir, at),
          evidence('file', `rights of ${closed}`, `closed to "${user}"`, at),
        ],
        fix: [
          { text: 'Move the worker to a place that everybody can pass, such as below /srv' },
          {
            text: 'Or let others pass, but not read, that directory',
            commands: [`chmod o+x ${pasted(closed)}`],
          },
        ],
      },
    ];
  }
  if (unseen === null) return [];
  return [
    {
      status: 'unknown',
      title: `Whether "${user}" (runAs) can reach ${program.dir}/builds is not known: this user may not look at ${unseen}`,
      evidence: [written],
    },
  ];
}
