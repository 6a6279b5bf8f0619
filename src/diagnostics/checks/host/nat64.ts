import { familyOf } from '../../../net/endpoint/host.ts';
import { IPV4_ONLY_NAME, isBehind, synthesize, type Pref64 } from '../../../net/nat64.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type Draft,
  type JudgeContext,
  type Judgement,
} from '../../check.ts';
import { attemptEvidence, evidence } from '../../evidence.ts';
import { usableAddresses, type HostFacts } from '../../facts/host.ts';
import type { PathFacts } from '../../facts/paths.ts';
import type { Nat64Facts } from '../../facts/resolver.ts';
import { leavesOut } from '../../intent.ts';
import { directTargets, type TargetSubject } from '../../subject.ts';

interface Translated {
  readonly host: HostFacts;
  /** Undefined: nobody was asked. */
  readonly nat64: Nat64Facts | undefined;
  readonly targets: readonly { readonly target: TargetSubject; readonly path: PathFacts }[];
}

/** Topics in which the question is asked also of a host that has IPv4. */
const ASKED = new Set(['ipv6', 'host']);

export const hst09 = defineCheck<'host', Translated>({
  id: 'HST-09',
  title: 'a translator to IPv4 (NAT64 with DNS64)',
  about: 'host',
  topics: ['ipv6', 'reach', 'host', 'source', 'mail'],
  needs: ['HST-01'],
  causes: ['HST-01', 'HST-02', 'HST-03'],
  gather,
  judge: judgeTranslation,
});

async function gather(context: CheckContext): Promise<Translated> {
  const host = await context.probes.host();
  const wanted =
    !leavesOut(context.intent, 6) &&
    usableAddresses(host, 6).length > 0 &&
    (usableAddresses(host, 4).length === 0 || ASKED.has(context.topic ?? ''));
  if (!wanted) return { host, nat64: undefined, targets: [] };
  const targets = directTargets(context.subjects);
  const [nat64, paths] = await Promise.all([
    context.probes.nat64(),
    Promise.all(targets.map(async (target) => ({ target, path: await context.probes.path(target) }))),
  ]);
  return { host, nat64, targets: paths };
}

function judgeTranslation(
  { host, nat64, targets }: Translated,
  _subject: unknown,
  _context: JudgeContext,
): Judgement {
  if (nat64 === undefined) return skip('this host has IPv4, or no IPv6');
  const prefixes = nat64.servers.flatMap((server) => server.prefixes);
  const [prefix] = prefixes;
  if (prefix === undefined) return nothing;
  const asked = nat64.servers.map(({ server, addresses }) =>
    evidence('dns', `AAAA ${IPV4_ONLY_NAME} from ${server}`, addresses.join(', ') || 'none', nat64.at),
  );
  const drafts: Draft[] = targets.flatMap(({ target, path }) => [
    ...deadTranslator(prefixes, target, path).map((draft) => ({
      ...draft,
      evidence: [...draft.evidence, ...asked],
    })),
    ...literal(prefix, host, target).map((draft) => ({ ...draft, evidence: [...draft.evidence, ...asked] })),
  ]);
  if (drafts.length > 0) return found(...drafts);
  return found({
    status: 'info',
    title: `Names without AAAA are translated here: NAT64 at ${prefix.prefix}/${prefix.bits}`,
    evidence: asked,
  });
}

/** DNS promises a way through the translator, and none of the translated addresses answers. */
function deadTranslator(prefixes: readonly Pref64[], target: TargetSubject, path: PathFacts): Draft[] {
  const through = path.attempts.filter(
    (attempt) => attempt.family === 6 && prefixes.some((prefix) => isBehind(prefix, attempt.address)),
  );
  // Another address of that family that answers shows that nothing is lost.
  const six = path.attempts.filter((attempt) => attempt.family === 6);
  if (through.length === 0 || six.some((attempt) => attempt.outcome === 'connected')) return [];
  // Refused by the far end is an answer, and so the translator works.
  if (through.some((attempt) => attempt.errno === 'ECONNREFUSED')) return [];
  const four = path.attempts.some((attempt) => attempt.family === 4 && attempt.outcome === 'connected');
  return [
    {
      status: four ? 'warn' : 'error',
      title: `DNS64 gives ${target.host} an address of a translator (NAT64) that does not carry the connection`,
      confidence: 'likely',
      evidence: through.map((attempt) => attemptEvidence(attempt, path.at)),
      fix: [
        {
          text: 'Mend the NAT64 of this network or its route; or use a nameserver that does not make such addresses',
          commands: [`dig AAAA ${IPV4_ONLY_NAME}`, `ip -6 route get ${through[0]?.address ?? ''}`],
        },
      ],
    },
  ];
}

/** DNS64 helps names alone. */
function literal(prefix: Pref64, host: HostFacts, target: TargetSubject): Draft[] {
  if (familyOf(target.host) !== 4 || usableAddresses(host, 4).length > 0) return [];
  const through = synthesize(prefix, target.host);
  const port = target.port === undefined ? '' : `:${target.port}`;
  return [
    {
      status: 'error',
      title: `${target.text} is an IPv4 address, and this host has none; its translator (NAT64) helps names alone`,
      evidence: [evidence('file', target.source, target.text, host.at)],
      fix: [
        { text: 'Write the name of that host instead of its address' },
        { text: `Or the translated address: [${through}]${port}` },
      ],
    },
  ];
}
