import { TARGET_TOPICS, type CheckContext } from '../../check.ts';
import { pasted } from '../../evidence.ts';
import type { DnsReply, NameFacts } from '../../facts/names.ts';
import { directTargets, type TargetSubject } from '../../subject.ts';

export const topics = ['dns', 'ipv6', ...TARGET_TOPICS] as const;

/** Asks every nameserver, the system and the hosts file. */
export const gather = (context: CheckContext, target: TargetSubject) =>
  context.probes.name(target.host, target.server);

/** Why DNS is not asked at all, or undefined. */
export function noName(name: NameFacts): string | undefined {
  if (name.literal !== null) return 'it is an address, not a name';
  if (name.localhost) return 'localhost is never asked of DNS';
  return undefined;
}

/** Answers that are as they should be: records, or the word that there are none. */
const GOOD = new Set<DnsReply['outcome']>(['answer', 'nodata']);

/** Whether a nameserver answered properly, with records or without. */
export const isGood = (reply: DnsReply) => GOOD.has(reply.outcome);

/** The server was there and gave an answer that can be read, also one that there is no such name. */
export const isAnswered = (reply: DnsReply) => isGood(reply) || reply.outcome === 'nxdomain';

/** `dig`, asked of one nameserver as the facts name it: `192.0.2.53`, `[2001:db8::53]:5353`. */
export function dig(words: string, name: string, server: string): string {
  const [, six, four, port] = /^(?:\[(.*)\]|([\d.]+)):(\d+)$/.exec(server) ?? [];
  return `dig ${port === undefined ? '' : `-p ${port} `}${words} ${pasted(name)} @${pasted(six ?? four ?? server)}`;
}

/** Topics of what this host does with names at all. */
export const HOST_NAME_TOPICS = [...topics, 'host'] as const;

/** The names of this run, literals and localhost aside. */
export async function namesOf(context: CheckContext): Promise<NameFacts[]> {
  const targets = directTargets(context.subjects);
  const names = await Promise.all(targets.map((target) => context.probes.name(target.host, target.server)));
  return names.filter((name) => noName(name) === undefined);
}
