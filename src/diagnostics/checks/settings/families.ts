import { kindOf } from '../../../net/address-kind.ts';
import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { insistsOn, leavesOut, type Family } from '../../intent.ts';
import type { SettingSubject, Subject } from '../../subject.ts';
import { gather, topics, type SettingFacts } from './question.ts';

export const cfg05 = defineCheck<'setting', SettingFacts>({
  id: 'CFG-05',
  title: 'addresses are of the families that are meant',
  about: 'setting',
  topics,
  needs: [],
  causes: ['CFG-07'],
  gather,
  judge: judgeFamilies,
});

function judgeFamilies(facts: SettingFacts, setting: SettingSubject, context: JudgeContext): Judgement {
  if (setting.problem !== undefined || facts.printed === null) return skip('CFG-01');
  const family = familyIn(facts.printed);
  if (family === undefined) return skip('it is a name, or for this host alone');
  const { intent } = context;
  const got = [
    evidence('file', setting.source, setting.text, facts.at),
    evidence('file', intent.source, `families ${intent.families.join(' and ')}`, facts.at),
  ];
  const other: Family = family === 6 ? 4 : 6;
  if (leavesOut(intent, family)) {
    return found({
      status: 'error',
      title: `${setting.key} ${JSON.stringify(setting.text)} is an IPv${family} address, and ${intent.source} means IPv${other} alone${family === 4 && setting.role === 'connect' ? ': no translator (NAT64) helps with an address that is written out' : ''}`,
      evidence: got,
      fix: [
        { text: `Write a name that has IPv${other}, or an IPv${other} address` },
        { text: `Or let network.families have ${family}`, commands: ['bbx config get network.families'] },
      ],
    });
  }
  if (setting.key !== 'reach' || !insistsOn(intent, other)) return nothing;
  const ways = context.subjects.filter(isReach);
  // Told once, of the first; a name may have both.
  if (ways[0] !== setting || ways.some(({ text }) => familyIn(text) !== family)) return nothing;
  return found({
    status: 'warn',
    title: `reach has IPv${family} addresses alone: a worker that has only IPv${other} gets no way here, and ${intent.source} means both`,
    evidence: got,
    fix: [{ text: `Add an IPv${other} address to reach, or write a name that has both` }],
  });
}

function isReach(subject: Subject): subject is SettingSubject {
  return subject.kind === 'setting' && subject.key === 'reach';
}

/** Of an address that others use, written out: `192.0.2.1:9989`, `wss://[2001:db8::1]:8010/bbx/worker`. */
function familyIn(printed: string): Family | undefined {
  const host =
    /^(?:[a-z][a-z+.-]*:\/\/)?(?:\[([^\]]+)\]|([^/:[\]]+))(?::\d+)?(?:\/|$)/i
      .exec(printed)
      ?.slice(1)
      .find((part) => part !== undefined) ?? '';
  const family = familyOf(host);
  // [::] takes both families, and what is on loopback is nobody else's.
  if (family === 0 || host === '::' || kindOf(host) === 'loopback') return undefined;
  return family;
}
