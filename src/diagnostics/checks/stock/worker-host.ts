import { isIP } from 'node:net';
import { literalIpv6, readDialled } from '../../../config/stock/endpoint-reading.ts';
import { pythonLiteral } from '../../../config/stock/python-literal.ts';
import { isTrue, type Written } from '../../../config/stock/written.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type Judgement,
  type JudgeContext,
} from '../../check.ts';
import { attemptEvidence, dnsEvidence, evidence } from '../../evidence.ts';
import { published, type NameFacts } from '../../facts/names.ts';
import type { PathFacts } from '../../facts/paths.ts';
import { insistsOn } from '../../intent.ts';
import { NO_A_RECORD, simulate } from '../../simulate.ts';
import type { StockWorkerSubject } from '../../stock-subject.ts';
import { now, rewrite, sureText, topics, writtenEvidence } from './question.ts';
import { isMsgpack } from './worker-settings.ts';

interface HostFacts {
  readonly at: string;
  readonly name: NameFacts | undefined;
  /** Attempts to connect there, where the call is about more than the file. */
  readonly path: PathFacts | undefined;
}

export const stk08 = defineCheck<'stock-worker', HostFacts>({
  id: 'STK-08',
  title: 'a stock worker can connect to the host it is given',
  about: 'stock-worker',
  topics,
  needs: ['STK-09', 'STK-10', 'STK-11'],
  causes: ['DNS-01', 'DNS-02', 'PTH-01', 'PTH-02'],
  gather,
  judge: judgeHost,
});

/** Where the worker dials, by which of Twisted's clients; undefined where it is not known, or is no host. */
function dialledBy({ worker }: StockWorkerSubject) {
  const string = sureText(worker.connectionString);
  if (string !== undefined) {
    const { client, mistake } = readDialled(string.value);
    const meant = mistake === undefined || mistake.id === 'STK-03';
    if (!meant || client === undefined || !('host' in client)) return undefined;
    return { host: client.host, written: string as Written, tls: client.kind === 'tls', string: true };
  }
  const host = sureText(worker.host);
  if (host === undefined) return undefined;
  return {
    host: host.value,
    written: host as Written,
    tls: isTrue(worker.useTls),
    string: false,
  };
}

async function gather(context: CheckContext, subject: StockWorkerSubject): Promise<HostFacts> {
  const at = now();
  const dialled = dialledBy(subject);
  if (dialled === undefined || isIP(dialled.host.replace(/%.*$/, '')) !== 0 || /[[\]]/.test(dialled.host))
    return { at, name: undefined, path: undefined };
  const target = context.subjects.find(
    (other) => other.kind === 'target' && other.source === subject.shown && other.host === dialled.host,
  );
  const [name, path] = await Promise.all([
    context.probes.name(dialled.host),
    target?.kind === 'target' ? context.probes.path(target) : undefined,
  ]);
  return { at, name, path };
}

function judgeHost(
  { at, name, path }: HostFacts,
  subject: StockWorkerSubject,
  context: JudgeContext,
): Judgement {
  // The proxy looks names up, and wants brackets.
  if (sureText(subject.worker.proxyConnectionString) !== undefined) return skip('PRX-04');
  const dialled = dialledBy(subject);
  if (dialled === undefined) return skip('where it connects is not written out');
  const { host, written, tls } = dialled;
  const bracketed = /^\[.*\]$/.test(host) ? literalIpv6(host) : undefined;
  if (bracketed !== undefined && !dialled.string)
    return found({
      status: 'error',
      title: `buildmaster_host has brackets: they belong on the command line of create-worker, here a host by the name "${host}" is looked up`,
      evidence: [writtenEvidence(subject, written, at)],
      fix: [rewrite(subject, written, bracketed, 'without brackets')],
    });
  if (name === undefined) return nothing;
  const four = ipv4Of(name);
  const six = ipv6Of(name);
  const seen = [writtenEvidence(subject, written, at), ...dnsEvidence(name)];
  const asked = tls
    ? evidence('file', 'this worker asks for', 'A and AAAA, and tries both (TLS)', at)
    : evidence('file', 'this worker asks for', 'the first A record and nothing else (plain TCP)', at);
  if (four.length === 0 && six.length === 0) return unclear(subject, name, seen);
  if (!tls && four.length === 0) {
    const literal = pythonLiteral(six[0] ?? '');
    const msgpack = isMsgpack(subject.worker);
    return found({
      status: 'error',
      title: `"${host}" has IPv6 addresses alone, and this worker asks for IPv4 alone: it never connects, and its log does not say why`,
      evidence: [...seen, asked],
      fix: [
        ...(msgpack || dialled.string
          ? []
          : [
              {
                text: `Write the address: buildmaster_host = ${literal} in line ${written.line}, without brackets`,
              },
            ]),
        { text: 'Or add an A record to the name; a line in /etc/hosts with the IPv6 address does not help' },
        {
          text: 'Or use TLS (use_tls = True, and ssl: at the master), with which both families of a name are tried',
        },
      ],
    });
  }
  if (path === undefined) return familyUsed(subject, context, { at, host, tls, four, six }, [...seen, asked]);
  const fate = simulate(name, path.attempts)[tls ? 'twisted-tls' : 'twisted-tcp'];
  if (fate.kind !== 'out' || fate.why === NO_A_RECORD || !path.attempts.some(isOpen))
    return familyUsed(subject, context, { at, host, tls, four, six }, [...seen, asked]);
  return found({
    status: 'error',
    title: `This worker never connects: it tries ${four[0] ?? 'one address'} of "${host}" and no other (${fate.why}), though another one answers`,
    evidence: [...seen, asked, ...path.attempts.map((attempt) => attemptEvidence(attempt, path.at))],
    fix: [
      { text: 'Make the first IPv4 address of the name answer' },
      ...(six[0] === undefined || dialled.string
        ? []
        : [
            {
              text: `Or write the address: buildmaster_host = ${pythonLiteral(six[0])} in line ${written.line}`,
            },
          ]),
    ],
  });
}

/** It gets in; which way is a fact, and trouble only where IPv6 is insisted on. */
function familyUsed(
  subject: StockWorkerSubject,
  context: JudgeContext,
  used: { at: string; host: string; tls: boolean; four: readonly string[]; six: readonly string[] },
  seen: Parameters<typeof found>[0]['evidence'],
): Judgement {
  if (used.tls || used.six.length === 0) return nothing;
  return found({
    status: insistsOn(context.intent, 6) ? 'warn' : 'info',
    title: `"${used.host}" has both families; this worker uses IPv4 (${used.four[0] ?? ''}) and never IPv6`,
    target: subject.shown,
    evidence: seen,
    fix: [{ text: `For IPv6 write the address: buildmaster_host = ${pythonLiteral(used.six[0] ?? '')}` }],
  });
}

function unclear(
  subject: StockWorkerSubject,
  name: NameFacts,
  seen: Parameters<typeof found>[0]['evidence'],
): Judgement {
  return found({
    status: 'unknown',
    title: `What addresses "${name.name}" has is not known here${name.lookup?.errno == null ? '' : ` (${name.lookup.errno})`}`,
    target: subject.shown,
    evidence: seen,
  });
}

function isOpen(attempt: PathFacts['attempts'][number]): boolean {
  return attempt.outcome === 'connected';
}

/** As gethostbyname has them: the hosts file first, and ::1 of it as 127.0.0.1. */
function ipv4Of(name: NameFacts): string[] {
  const hosts = name.hosts.filter((address) => !address.includes(':'));
  if (name.hosts.length > 0)
    return hosts.length > 0 ? hosts : name.hosts.includes('::1') ? ['127.0.0.1'] : [];
  const looked = (name.lookup?.addresses ?? []).filter((address) => !address.includes(':'));
  return [...new Set([...looked, ...published(name, 4)])];
}

function ipv6Of(name: NameFacts): string[] {
  const looked = (name.lookup?.addresses ?? []).filter((address) => address.includes(':'));
  return [
    ...new Set([...name.hosts.filter((address) => address.includes(':')), ...looked, ...published(name, 6)]),
  ];
}
