import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { SettingSubject } from '../../subject.ts';
import { gather, topics, type SettingFacts } from './question.ts';

export const cfg03 = defineCheck<'setting', SettingFacts>({
  id: 'CFG-03',
  title: 'names as addresses to listen on',
  about: 'setting',
  topics,
  needs: [],
  gather,
  judge: judgeBindName,
});

function judgeBindName(facts: SettingFacts, setting: SettingSubject): Judgement {
  if (setting.role !== 'listen') return skip('it is not listened on');
  if (setting.problem !== undefined) return skip('CFG-01');
  if (facts.problem === null || !/^[\p{L}\d_.-]*\p{L}[\p{L}\d_.-]*(:\d+)?$/u.test(setting.text))
    return nothing;
  const port = /:(\d+)$/.exec(setting.text)?.[1] ?? '9989';
  return found({
    status: 'error',
    title: `${setting.key} ${JSON.stringify(setting.text)}: a name is not an address to listen on; what it resolves to may change`,
    evidence: [evidence('file', setting.source, setting.text, facts.at)],
    fix: [
      {
        text: `Write [::]:${port} for every address, localhost:${port} for this host alone, or one address of this host`,
      },
    ],
  });
}
