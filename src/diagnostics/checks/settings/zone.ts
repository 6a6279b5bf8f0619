import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { SettingSubject } from '../../subject.ts';
import { gather, topics, type SettingFacts } from './question.ts';

export const cfg07 = defineCheck<'setting', SettingFacts>({
  id: 'CFG-07',
  title: 'no zone in what other hosts are told',
  about: 'setting',
  topics,
  needs: [],
  gather,
  judge: judgeZone,
});

function judgeZone(facts: SettingFacts, setting: SettingSubject): Judgement {
  if (setting.problem !== undefined) return skip('CFG-01');
  if (!/^(reach|url)\b/.test(setting.key)) return skip('only this host reads it');
  const zone = /%(?:25)?([^\]:]+)/.exec(hostPartOf(setting.text))?.[1];
  if (zone === undefined) return nothing;
  return found({
    status: 'error',
    title: `${setting.key} ${JSON.stringify(setting.text)}: the zone "${zone}" is an interface of this host, and means nothing to others`,
    evidence: [evidence('file', setting.source, setting.text, facts.at)],
    fix: [
      {
        text: 'Write an address that others can use: a unique local one (fd00::/8) will do where there is no global one; or a name',
        commands: ['ip -6 addr show scope global'],
      },
    ],
  });
}

/** Without the path of a URL: there a % stands for any character. */
function hostPartOf(text: string): string {
  return text.replace(/^[a-z][a-z+.-]*:\/\//i, '').split('/', 1)[0] ?? '';
}
