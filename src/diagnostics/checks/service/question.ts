import { pasted } from '../../evidence.ts';
import type { CheckContext } from '../../check.ts';
import type { ServiceFacts } from '../../facts/service.ts';
import type { ProgramSubject } from '../../subject.ts';

/** Asks systemd. */
export const gather = (context: CheckContext, program: ProgramSubject): Promise<ServiceFacts> =>
  context.probes.service(program);

/** Why there is nothing to judge, or undefined. */
export function noService(facts: ServiceFacts): string | undefined {
  switch (facts.state) {
    case 'none':
      return 'this machine is not run by systemd';
    case 'no unit':
      return 'no unit of systemd runs it';
    case 'silent':
      return 'systemctl gave no answer';
    case 'known':
      return undefined;
  }
}

/** `systemctl`, as the person would call it for this unit. */
export function systemctl(facts: ServiceFacts, ...words: string[]): string {
  return [
    ...(facts.own ? ['systemctl', '--user'] : ['sudo', 'systemctl']),
    ...words,
    pasted(facts.unit),
  ].join(' ');
}

/** A piece of `systemctl show`. */
export function property(facts: ServiceFacts, name: string): string {
  return facts.properties[name] ?? '';
}
