import type { Evidence } from '../../../api/doctor.ts';
import { kindOf } from '../../../net/address-kind.ts';
import { familyOf } from '../../../net/endpoint/host.ts';
import {
  TARGET_TOPICS,
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type Draft,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { evidence } from '../../evidence.ts';
import { usableAddresses } from '../../facts/host.ts';
import type {
  FilterAnswer,
  FilterFacts,
  FilterPlace,
  FilterQuestion,
  UnreadRules,
} from '../../facts/packet-filter.ts';
import { leavesOut, type Family } from '../../intent.ts';
import { directTargets, nameOf, type ListenerSubject, type TargetSubject } from '../../subject.ts';

interface Asked {
  readonly about: ListenerSubject | TargetSubject;
  readonly question: FilterQuestion;
}

interface Facts {
  readonly filter: FilterFacts | undefined;
  readonly asked: readonly Asked[];
  /** A target of this run lets nobody connect. */
  readonly isStuck: boolean;
}

export const svc07 = defineCheck<'host', Facts>({
  id: 'SVC-07',
  title: "this host's own packet filter lets it through",
  about: 'host',
  topics: ['host', 'listen', 'ipv6', ...TARGET_TOPICS],
  needs: [],
  gather,
  judge: judgeFilter,
});

async function gather(context: CheckContext): Promise<Facts> {
  const { probes, subjects } = context;
  const host = await probes.host();
  const own = new Set(
    ([4, 6] as const).flatMap((family) => usableAddresses(host, family)).map((one) => one.address),
  );
  const asked: Asked[] = [];
  for (const subject of subjects)
    if (subject.kind === 'listener')
      for (const { family, address } of heardAt(subject))
        if (usableAddresses(host, family).length > 0)
          asked.push({ about: subject, question: { hook: 'input', family, port: subject.port, address } });
  const paths = await Promise.all(
    directTargets(subjects).map(async (target) => ({ target, path: await probes.path(target) })),
  );
  for (const { target, path } of paths)
    for (const { address, family, port } of path.attempts)
      // To itself a host goes over loopback, which filters seldom look at.
      if (!own.has(address) && kindOf(address) !== 'loopback')
        asked.push({ about: target, question: { hook: 'output', family, port, address } });
  return {
    asked,
    filter: asked.length === 0 ? undefined : await probes.packetFilter(asked.map(({ question }) => question)),
    isStuck: paths.some(
      ({ path: { attempts } }) =>
        attempts.length > 0 && attempts.every(({ outcome }) => outcome !== 'connected'),
    ),
  };
}

/** The addresses at which others could come; of a name or loopback there is none. */
function heardAt({ hosts }: ListenerSubject): { family: Family; address: string | null }[] {
  return hosts.flatMap((host): { family: Family; address: string | null }[] => {
    if (host === '::') return [6, 4].map((family) => ({ family: family as Family, address: null }));
    if (host === '0.0.0.0') return [{ family: 4, address: null }];
    const family = familyOf(host);
    return family === 0 || kindOf(host) === 'loopback' ? [] : [{ family, address: host }];
  });
}

function judgeFilter({ filter, asked, isStuck }: Facts, _host: unknown, context: JudgeContext): Judgement {
  if (filter === undefined) return skip('nothing here comes from or goes to another host');
  const unread = filter.unread.filter(({ families }) =>
    asked.some((one) => families.includes(one.question.family)),
  );
  // Of what others would meet here nothing else tells; a target that connects is let through.
  const isOpen = isStuck || asked.some(({ question }) => question.hook === 'input');
  const beside: Judgement =
    unread.length === 0
      ? nothing
      : isOpen
        ? found(unreadDraft(unread, filter.at))
        : skip(`the rules of ${whatIs(unread)} are not read here`);
  if (filter.state === 'no tool' && unread.length > 0) return beside;
  if (filter.state === 'no tool') return skip('nft is not installed, so the rules cannot be read');
  if (filter.state !== 'read') {
    const why =
      filter.state === 'hidden' ? 'its rules are shown to root alone' : 'nft gave no list that can be read';
    if (!isStuck) return skip(why);
    return found({
      status: 'unknown',
      title: `Whether this host's own packet filter stops it is not known: ${why}`,
      evidence: [evidence('cmd', 'nft -j list ruleset', why, filter.at)],
      fix: [{ text: 'Look at the rules as root', commands: ['sudo nft list ruleset'] }],
    });
  }
  const answered = asked.map(({ about }, index) => ({ about, answer: filter.answers[index] }));
  const drafts = [...new Set(asked.map(({ about }) => about))].flatMap((about): Draft[] => {
    const answers = answered
      .flatMap((one) => (one.about === about && one.answer !== undefined ? [one.answer] : []))
      .filter(({ family }) => !leavesOut(context.intent, family));
    const stopped = answers.filter(({ fate }) => fate !== 'open');
    const [first] = stopped;
    return first === undefined ? [] : [draftOf(about, first, stopped, answers, filter.at)];
  });
  return drafts.length === 0 ? beside : found(...drafts);
}

function whatIs(unread: readonly UnreadRules[]): string {
  return unread.map(({ what }) => what).join(' and ');
}

function unreadDraft(unread: readonly UnreadRules[], at: string): Draft {
  return {
    status: 'unknown',
    title: `Whether this host's own packet filter stops it is not known: the rules of ${whatIs(unread)} are not read here`,
    evidence: unread.map(({ what }) => evidence('proc', what, 'rules that may stop packets', at)),
    fix: [{ text: 'Look at them as root', commands: unread.map(({ command }) => `sudo ${command}`) }],
  };
}

function draftOf(
  about: Asked['about'],
  first: FilterAnswer,
  stopped: readonly FilterAnswer[],
  answers: readonly FilterAnswer[],
  at: string,
): Draft {
  const all = stopped.length === answers.length;
  const families = new Set(stopped.map(({ family }) => family));
  const over = families.size === 1 && !all ? ` over IPv${first.family}` : '';
  const port = String(first.port);
  const toward = first.hook === 'output' ? ` to ${about.text}` : '';
  return {
    target: nameOf(about),
    status: all && isNeeded(about) ? 'error' : 'warn',
    confidence: 'likely',
    title:
      first.hook === 'input'
        ? `The packet filter of this host lets nobody in to port ${port}${over}: other hosts are ${first.fate === 'dropped' ? 'met with silence' : 'refused'}`
        : `The packet filter of this host lets nothing out${toward}${over}: packets are ${first.fate}`,
    evidence: evidenceOf(stopped, at),
    fix: [
      {
        text: 'Look at the rule, and let the port through where the rules are kept (ufw, firewalld, /etc/nftables.conf)',
        commands: [
          ...new Set(
            stopped.flatMap(({ by }) => (by === null ? [] : [`sudo nft -a list chain ${by.chain}`])),
          ),
          ...(first.by === null
            ? []
            : [
                `sudo nft insert rule ${first.by.chain} tcp dport ${port} accept   # until the rules are loaded again`,
              ]),
        ],
      },
    ],
  };
}

/** A target is there to be reached; a listener may be meant for this host alone, unless workers are told to come from elsewhere. */
function isNeeded(about: Asked['about']): boolean {
  return about.kind === 'target' || (about.plane === 'worker' && about.reach.length > 0);
}

function evidenceOf(stopped: readonly FilterAnswer[], at: string): Evidence[] {
  return stopped.map(({ hook, family, port, address, fate, by }) =>
    evidence(
      'cmd',
      `${hook} of TCP over IPv${family} to ${address ?? 'this host'}, port ${port}, by nft list ruleset`,
      `${fate} by ${by === null ? 'a rule' : placeText(by)}`,
      at,
    ),
  );
}

function placeText({ chain, handle }: FilterPlace): string {
  return handle === null ? `the policy of chain "${chain}"` : `rule ${handle} of chain "${chain}"`;
}
