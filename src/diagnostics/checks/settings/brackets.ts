import { isIPv6 } from 'node:net';
import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { DraftFix } from '../../fixes.ts';
import type { SettingSubject } from '../../subject.ts';
import { gather, topics, underlined, type SettingFacts } from './question.ts';

export const cfg02 = defineCheck<'setting', SettingFacts>({
  id: 'CFG-02',
  title: 'brackets and ports of IPv6 addresses',
  about: 'setting',
  topics,
  needs: [],
  causes: ['CFG-07'],
  gather,
  judge: judgeBrackets,
});

function judgeBrackets(facts: SettingFacts, setting: SettingSubject): Judgement {
  if (setting.problem !== undefined) return skip('CFG-01');
  if (facts.problem === null) return nothing;
  const { text } = setting;
  const plain = text.replace(/%[^\]:]*/, '');
  const colons = plain.split(':').length - 1;
  const bracketed = /[[\]]/.test(text);
  const likeIpv6 = colons > 1 && /^[\da-f:.[\]]*$/i.test(plain);
  if (!bracketed && !likeIpv6) return nothing;
  const meant = rewritten(text);
  const right = meant ?? facts.expected ?? '[2001:db8::2]:9989';
  return found({
    status: 'error',
    title: `${setting.key} ${JSON.stringify(text)}: ${facts.problem}`,
    evidence: [evidence('file', setting.source, underlined(setting, facts.column), facts.at)],
    fix: [{ text: `Write ${right}`, ...changeTo(meant, setting) }],
  });
}

/** Below, a number is a part of an address as likely as a port. */
const SURELY_A_PORT = 1_024;

/** The change of the file, where it is clear what is meant: YAML takes a bracket without quotes for a list. */
function changeTo(meant: string | undefined, { text, place }: SettingSubject): Pick<DraftFix, 'change'> {
  const port = Number(meant?.split(':').at(-1) ?? 0);
  if (meant === undefined || place === undefined || port < SURELY_A_PORT) return {};
  const { file, shown, quoted, ...at } = place;
  const becomes = quoted ? meant : `"${meant}"`;
  return {
    change: { file, shown, edits: [{ at: { line: at.line, column: at.column }, was: text, becomes }] },
  };
}

/** The one thing that a bare `address:port` can mean, where there is one. */
function rewritten(text: string): string | undefined {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const bare = match[1].replaceAll(/[[\]]/g, '');
  return isIPv6(bare) && Number(match[2]) <= 65_535 ? `[${bare}]:${match[2]}` : undefined;
}
