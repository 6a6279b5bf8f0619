import { kindOf } from '../../../net/address-kind.ts';
import { defineCheck, found, nothing, skip, type JudgeContext, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { NameFacts } from '../../facts/names.ts';
import type { TargetSubject } from '../../subject.ts';
import { gather, topics } from './question.ts';

export const dns08 = defineCheck<'target', NameFacts>({
  id: 'DNS-08',
  title: "this host's own name on 127.0.1.1",
  about: 'target',
  topics,
  needs: [],
  gather,
  judge: (name, target, context) => judgeOwnName(name, target, context),
});

function judgeOwnName(name: NameFacts, target: TargetSubject, context: JudgeContext): Judgement {
  if (!name.ownName || name.localhost) return skip("it is not this host's own name");
  const looped = name.hosts.filter((address) => kindOf(address) === 'loopback');
  if (looped.length === 0) return nothing;
  const trapped = context.subjects.find(
    (subject) =>
      subject.kind === 'listener' &&
      subject.state !== 'stopped' &&
      subject.port === target.port &&
      !subject.hosts.some((host) => host === '::' || host === '0.0.0.0' || looped.includes(host)),
  );
  return found({
    status: trapped === undefined ? 'info' : 'warn',
    title:
      trapped === undefined
        ? `Here "${name.name}" means ${looped.join(', ')} (hosts file); other hosts must have it from DNS`
        : `Here "${name.name}" means ${looped.join(', ')} (hosts file), and nothing listens on that address`,
    evidence: [evidence('file', `/etc/hosts: ${name.name}`, name.hosts.join(', '), name.at)],
    ...(trapped === undefined
      ? {}
      : { fix: [{ text: 'Listen on [::], or give the name its real address in /etc/hosts' }] }),
  });
}
