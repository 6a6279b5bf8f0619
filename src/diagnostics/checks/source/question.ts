import type { Evidence } from '../../../api/doctor.ts';
import type { CheckContext } from '../../check.ts';
import { attemptEvidence, dnsEvidence, evidence } from '../../evidence.ts';
import type { SourceSubject } from '../../far-subjects.ts';
import type { Reached } from '../../facts/sources.ts';
import { published } from '../../facts/names.ts';
import type { Family } from '../../intent.ts';
import { placeTarget } from '../../place-target.ts';

export const topics = ['source'] as const;
/** Of questions that a family decides. */
export const familyTopics = ['ipv6', 'source'] as const;

/** Looks up and connects, as for any target; what was asked before is not asked again. */
export async function reach(
  context: CheckContext,
  host: string,
  port: number,
  source: string,
): Promise<Reached> {
  const target = placeTarget(host, port, source);
  const [name, path] = await Promise.all([context.probes.name(host), context.probes.path(target)]);
  return { text: target.text, name, path };
}

/** Addresses of a family that the host has for everybody, of the hosts file and by literal as well. */
export function has({ name }: Reached, family: Family): boolean {
  if (name.literal !== null) return name.literal === family;
  if (name.localhost) return true;
  const six = (address: string) => address.includes(':');
  return (
    published(name, family).length > 0 ||
    [...name.hosts, ...(name.lookup?.addresses ?? [])].some((address) => six(address) === (family === 6))
  );
}

export function connects({ path }: Reached): boolean {
  return path.attempts.some((attempt) => attempt.outcome === 'connected');
}

export function reachedEvidence({ name, path }: Reached): Evidence[] {
  return [...dnsEvidence(name), ...path.attempts.map((attempt) => attemptEvidence(attempt, path.at))];
}

/** What ssh's configuration has to do with it. */
export function sshEvidence({ ssh }: SourceSubject, at: string): Evidence[] {
  if (ssh === null) return [];
  const { written, host, port, through } = ssh;
  const way = through === null ? '' : `, ${through}`;
  return [evidence('cmd', `ssh -G ${written}`, `hostname ${host}, port ${port}${way}`, at)];
}

/** Why nothing of a source's host is looked at from here. */
export function whyNoHost({ ssh, problem }: SourceSubject): string {
  if (ssh?.through != null) return `ssh goes there through another host (${ssh.through})`;
  return problem === null ? 'it stands on this machine' : 'SRC-06';
}

/** `builder "linux"`, `builders "linux" and "docs"`; undefined where nobody is named. */
export function usersOf({ builders }: SourceSubject): string | undefined {
  if (builders.length === 0) return undefined;
  const names = builders.slice(0, 3).map((name) => `"${name}"`);
  const more = builders.length > 3 ? ` and ${builders.length - 3} more` : '';
  return `builder${builders.length === 1 ? '' : 's'} ${names.join(', ')}${more}`;
}
