import { isIPv6 } from 'node:net';
import { BbxError } from '../../base/error.ts';
import { parseAddress, printAddress } from '../../net/endpoint/address.ts';
import { parseListen, printListen } from '../../net/endpoint/listen-address.ts';
import { defineCheck, found, nothing, skip, type Judgement } from '../check.ts';
import { evidence } from '../evidence.ts';
import type { SettingSubject } from '../subject.ts';

const topics = ['ipv6', 'listen', 'reach'] as const;

/** What the grammar makes of the text. */
export interface SettingFacts {
  readonly at: string;
  /** The normal form, or what is wrong with the text. */
  readonly printed: string | null;
  readonly problem: string | null;
  readonly expected: string | null;
  readonly column: number | null;
}

/** Reads an address as the configuration does. */
export function readSetting(setting: SettingSubject, at: string): SettingFacts {
  try {
    const printed =
      setting.role === 'listen'
        ? printListen(parseListen(setting.text, { defaultPort: 9989 }))
        : printAddress(parseAddress(setting.text));
    return { at, printed, problem: null, expected: null, column: null };
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    const { problem, expected, column } = error.data as {
      problem?: string;
      expected?: string;
      column?: number;
    };
    return {
      at,
      printed: null,
      problem: problem ?? error.message,
      expected: expected ?? null,
      column: column ?? null,
    };
  }
}

const gather = (_context: unknown, setting: SettingSubject) => readSetting(setting, new Date().toISOString());

/** The value as it stands, a caret under the place where reading stopped. */
function underlined(setting: SettingSubject, column: number | null): string {
  return column === null ? setting.text : `${setting.text} (column ${column})`;
}

export const cfg01 = defineCheck<'setting', SettingFacts>({
  id: 'CFG-01',
  title: 'addresses of the configuration can be read',
  about: 'setting',
  topics,
  needs: [],
  causes: ['CFG-02', 'CFG-03'],
  gather,
  judge: judgeReadable,
});

export function judgeReadable(facts: SettingFacts, setting: SettingSubject): Judgement {
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
          commands: ['bbx config check'],
        },
      ],
    });
  }
  if (facts.problem === null) return nothing;
  return found({
    status: 'error',
    title: `${setting.key} ${JSON.stringify(setting.text)} cannot be read: ${facts.problem}`,
    evidence: [evidence('file', setting.source, underlined(setting, facts.column), facts.at)],
    ...(facts.expected === null ? {} : { fix: [{ text: `Write ${facts.expected}` }] }),
  });
}

export const cfg02 = defineCheck<'setting', SettingFacts>({
  id: 'CFG-02',
  title: 'brackets and ports of IPv6 addresses',
  about: 'setting',
  topics,
  needs: [],
  gather,
  judge: judgeBrackets,
});

export function judgeBrackets(facts: SettingFacts, setting: SettingSubject): Judgement {
  if (setting.problem !== undefined) return skip('CFG-01');
  if (facts.problem === null) return nothing;
  const { text } = setting;
  const plain = text.replace(/%[^\]:]*/, '');
  const colons = plain.split(':').length - 1;
  const bracketed = /[[\]]/.test(text);
  const likeIpv6 = colons > 1 && /^[\da-f:.[\]]*$/i.test(plain);
  if (!bracketed && !likeIpv6) return nothing;
  const right = rewritten(text) ?? facts.expected ?? '[2001:db8::2]:9989';
  return found({
    status: 'error',
    title: `${setting.key} ${JSON.stringify(text)}: ${facts.problem}`,
    evidence: [evidence('file', setting.source, underlined(setting, facts.column), facts.at)],
    fix: [{ text: `Write ${right}` }],
  });
}

/** The one thing that a bare `address:port` can mean, where there is one. */
function rewritten(text: string): string | undefined {
  const match = /^(.*):(\d{1,5})$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const bare = match[1].replaceAll(/[[\]]/g, '');
  return isIPv6(bare) && Number(match[2]) <= 65_535 ? `[${bare}]:${match[2]}` : undefined;
}

export const cfg03 = defineCheck<'setting', SettingFacts>({
  id: 'CFG-03',
  title: 'names as addresses to listen on',
  about: 'setting',
  topics,
  needs: [],
  gather,
  judge: judgeBindName,
});

export function judgeBindName(facts: SettingFacts, setting: SettingSubject): Judgement {
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

export const settingChecks = [cfg01, cfg02, cfg03];
