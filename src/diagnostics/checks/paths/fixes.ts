import type { Fix } from '../../../api/doctor.ts';
import { DEFAULT_PORT } from '../../../net/endpoint/address.ts';
import { familyOf, printHostPort } from '../../../net/endpoint/host.ts';
import { pasted } from '../../evidence.ts';
import type { Attempt, PathFacts } from '../../facts/paths.ts';
import type { TargetSubject } from '../../subject.ts';

/** What to look at, by how the attempts failed. */
export function fixFor(dead: readonly Attempt[], target: TargetSubject, path: PathFacts): Fix[] {
  const fixes: Fix[] = [];
  if (dead.some((attempt) => attempt.errno === 'ECONNREFUSED')) {
    fixes.push({
      text: 'Look on that host whether the program runs, and on which addresses it listens',
      commands: [
        ...(isMastersPort(target) ? ['bbx status'] : []),
        `bbx doctor listen ${pasted(printHostPort('::', target.port ?? 0))}`,
      ],
    });
  }
  if (dead.some((attempt) => attempt.outcome === 'silent')) {
    fixes.push({
      text: `Look for a firewall or security group that drops TCP port ${target.port ?? 0}, and whether the address is still right`,
    });
  }
  if (dead.some((attempt) => attempt.errno === 'EHOSTUNREACH' || attempt.errno === 'ENETUNREACH')) {
    fixes.push({
      text: 'Look whether the host is up and a route leads there',
      commands: [...new Set(dead.map((attempt) => attempt.address))]
        .slice(0, 2)
        .map((address) => `ip${familyOf(address) === 6 ? ' -6' : ''} route get ${address}`),
    });
  }
  if (fixes.length === 0 && path.attempts.length > 0) fixes.push({ text: 'Look at the system codes above' });
  return fixes;
}

/** Any port that a person names is tried as a bbx master's; whether it is meant to be one, the configuration says, or the usual port. */
export function isMastersPort({ protocol, plane, workerDir, port }: TargetSubject): boolean {
  return protocol === 'bbx' && (plane === 'worker' || workerDir !== undefined || port === DEFAULT_PORT);
}

/** How they failed, each way once: `IPv6 no answer, IPv4 ECONNREFUSED`. */
export function tally(attempts: readonly Attempt[]): string {
  const words = attempts.map(
    (attempt) =>
      `IPv${attempt.family} ${attempt.outcome === 'silent' ? 'no answer' : (attempt.errno ?? 'failed')}`,
  );
  return [...new Set(words)].join(', ');
}
