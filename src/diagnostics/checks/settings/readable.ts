import { defineCheck, found, nothing, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { SettingSubject } from '../../subject.ts';
import { gather, topics, underlined, type SettingFacts } from './question.ts';

export const cfg01 = defineCheck<'setting', SettingFacts>({
  id: 'CFG-01',
  title: 'addresses of the configuration can be read',
  about: 'setting',
  topics,
  needs: [],
  causes: ['CFG-07', 'CFG-02', 'CFG-03'],
  gather,
  judge: judgeReadable,
});

function judgeReadable(facts: SettingFacts, setting: SettingSubject): Judgement {
  if (setting.unread === true) {
    return found({
      status: 'error',
      title: `The files in ${setting.source} were not read in time: what they say is not known`,
      target: setting.source,
      evidence: [evidence('file', setting.source, 'no answer from the file system', facts.at)],
      fix: [
        {
          text: 'Look whether the file system there answers: a network mount whose server is away, a disk that fails',
          commands: ['cat /proc/mounts', 'sudo dmesg | tail -20'],
        },
      ],
    });
  }
  if (setting.problem !== undefined) {
    return found({
      status: 'error',
      title: `${setting.source}: ${setting.problem}`,
      target: setting.source,
      evidence: [
        evidence('file', setting.source, setting.text === '' ? setting.problem : setting.text, facts.at),
      ],
      fix: [
        {
          text: 'Mend the configuration; until then nothing else of it can be looked at',
          ...(setting.recheck === undefined ? {} : { commands: [setting.recheck] }),
        },
      ],
    });
  }
  if (facts.problem === null) {
    if (setting.refusal === undefined) return nothing;
    return found({
      status: 'error',
      title: `${setting.key} ${JSON.stringify(setting.text)} is not taken: ${setting.refusal}`,
      evidence: [evidence('file', setting.source, setting.text, facts.at)],
      fix: [
        {
          text: 'Mend the configuration',
          ...(setting.recheck === undefined ? {} : { commands: [setting.recheck] }),
        },
      ],
    });
  }
  return found({
    status: 'error',
    title: `${setting.key} ${JSON.stringify(setting.text)} cannot be read: ${facts.problem}`,
    evidence: [evidence('file', setting.source, underlined(setting, facts.column), facts.at)],
    ...(facts.expected === null ? {} : { fix: [{ text: `Write ${facts.expected}` }] }),
  });
}
