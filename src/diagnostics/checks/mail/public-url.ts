import { isLoopbackName } from '../../../net/address-kind.ts';
import { printHostPort } from '../../../net/endpoint/host.ts';
import { defineCheck, found, skip, type Draft, type JudgeContext, type Judgement } from '../../check.ts';
import { attemptEvidence, dnsEvidence, evidence, pasted } from '../../evidence.ts';
import type { StatusSubject } from '../../far-subjects.ts';
import type { StatusFact, StatusFacts } from '../../facts/mail.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import type { PathFacts } from '../../facts/paths.ts';
import { insistsOn, leavesOut } from '../../intent.ts';
import { placeOfService } from '../../place-target.ts';
import { PLACE_CAUSES } from './question.ts';

interface Pages {
  readonly name: NameFacts;
  readonly path: PathFacts;
  /** The answers to a question for the master's own word of its health. */
  readonly facts: StatusFacts;
}

export const ntf09 = defineCheck<'status', Pages | undefined>({
  id: 'NTF-09',
  title: 'hooks and people get to the farm by its public address',
  about: 'status',
  topics: ['mail', 'listen'],
  needs: ['CFG-04'],
  causes: ['CFG-04', ...PLACE_CAUSES],
  async gather({ probes }, service) {
    if (service.own?.running !== true || isLoopbackName(service.host)) return undefined;
    const health = { ...service, path: `${service.path}health`, text: `${service.text}health` };
    const [name, path, facts] = await Promise.all([
      probes.name(service.host),
      probes.path(placeOfService(service)),
      probes.status(health),
    ]);
    return { name, path, facts };
  },
  judge: judgePages,
});

function judgePages(pages: Pages | undefined, service: StatusSubject, context: JudgeContext): Judgement {
  if (service.own === undefined) return skip('it is a service of others');
  if (pages === undefined)
    return skip(service.own.running ? 'it is for this host alone' : 'its master does not run');
  const { name, path, facts } = pages;
  const { text, host } = service;
  const got = [
    ...dnsEvidence(name),
    ...path.attempts.map((attempt) => attemptEvidence(attempt, path.at)),
    ...facts.addresses.map((one) =>
      evidence(
        'peer',
        `HEAD ${text}health at ${printHostPort(one.address, service.port)}`,
        `${answerText(one)}${one.distrust === null ? '' : `, certificate: ${one.distrust}`}`,
        facts.at,
      ),
    ),
  ];
  const look = [`curl -sSI ${pasted(`${text}health`)}`];
  const draft = (rest: Pick<Draft, 'status' | 'title'> & Partial<Draft>, fix: string): Judgement =>
    found({ evidence: got, fix: [{ text: fix, commands: look }], ...rest });
  if (facts.addresses.length === 0)
    // A router that does not lead its own net back to itself (no hairpin) looks the same from here.
    return draft(
      {
        status: 'info',
        title: `${text} cannot be reached from the master's own host; from outside it may`,
        confidence: 'possible',
      },
      'Try it from another network',
    );
  const of = (fits: (one: StatusFact) => boolean) => facts.addresses.filter(fits);
  const where = (bad: readonly StatusFact[]) =>
    bad.length === facts.addresses.length ? '' : ` at ${bad.map(({ address }) => address).join(', ')}`;
  const moved = of(({ status }) => status !== null && status >= 300 && status < 400);
  const bad = of(({ status }) => status === null || status >= 500);
  const strange = of(({ status }) => status !== null && status >= 400 && status < 500);
  const distrusted = of(({ distrust }) => distrust !== null);
  if (bad.length > 0)
    return draft(
      {
        status: bad.length === facts.addresses.length ? 'error' : 'warn',
        title: `Behind ${text} nobody answers for this master${where(bad)}: ${answerText(bad[0]!)}`,
      },
      'Look at the web server that stands before the master: does it lead to listen.web?',
    );
  const wrong = distrusted.filter((one) => !isUnknownAuthority(one));
  if (wrong.length > 0)
    return draft(
      {
        status: 'error',
        title: `The certificate of ${text} is not taken${where(wrong)} (${wrong[0]?.distrust ?? ''}): forges send no hooks there`,
      },
      'Have the web server show a certificate for that name, with its whole chain',
    );
  if (distrusted.length > 0)
    return found({
      evidence: got,
      status: 'warn',
      confidence: 'likely',
      title: `This host trusts nobody who signed the certificate of ${text}${where(distrusted)} (${distrusted[0]?.issuer ?? ''}): who does not trust it either sends no hooks there`,
      fix: [
        {
          text: 'If that is an authority of your own, let the forges trust it, and this host: its certificate among those of the system, or for programs of Node alone',
          commands: ['export NODE_EXTRA_CA_CERTS=FILE'],
        },
        { text: 'Else have the web server show its whole chain', commands: look },
      ],
    });
  if (moved.length > 0)
    return draft(
      {
        status: 'warn',
        title: `${text} only leads elsewhere${where(moved)} (${answerText(moved[0]!)}): who sends hooks does not follow`,
      },
      'Write the address that it leads to as url',
    );
  if (strange.length > 0)
    return draft(
      {
        status: 'warn',
        confidence: 'likely',
        title: `${text} is answered by something else than this master${where(strange)}: ${answerText(strange[0]!)} for its health`,
      },
      'Let the web server lead that path to the master, or write the address that it leads to',
    );
  const lacks6 =
    name.literal === null && !name.localhost && published(name, 6).length === 0 && name.hosts.length === 0;
  if (lacks6 && !leavesOut(context.intent, 6))
    return draft(
      {
        status: leavesOut(context.intent, 4) ? 'error' : insistsOn(context.intent, 6) ? 'warn' : 'info',
        title: `${host} has no AAAA: people and forges that have IPv6 alone do not get to ${text}`,
      },
      'Publish an AAAA record for it',
    );
  const own = facts.addresses.find(({ added }) => added !== null);
  if (own?.added != null)
    return draft(
      {
        status: 'info',
        title: `The certificate of ${text} is signed by "${own.added.subject}", which ${own.added.from === 'system' ? 'this system' : 'this process'} was told to trust: hooks come from who trusts it too`,
      },
      'None needed where every forge trusts that authority',
    );
  return found();
}

/** Signed by somebody whom this host does not know; what is over, for another name or signed by nobody else is wrong for all. */
function isUnknownAuthority({ distrust }: StatusFact): boolean {
  return (
    distrust !== null &&
    distrust !== 'another name' &&
    distrust !== 'DEPTH_ZERO_SELF_SIGNED_CERT' &&
    !distrust.startsWith('CERT_')
  );
}

function answerText({ status, problem, ms }: StatusFact): string {
  return `${status === null ? (problem ?? 'no answer') : `HTTP ${status}`} in ${ms} ms`;
}
