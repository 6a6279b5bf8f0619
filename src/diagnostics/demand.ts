import { kindOf } from '../net/address-kind.ts';
import { familyOf } from '../net/endpoint/host.ts';
import type { CheckContext, JudgeContext } from './check.ts';
import { candidates, published, type NameFacts } from './facts/names.ts';
import type { Family } from './intent.ts';
import { directTargets } from './subject.ts';

/** Something in the plan that cannot do without a family. */
export interface Demand {
  readonly family: Family;
  /** It lies beyond this host, so loopback alone is not enough. */
  readonly beyond: boolean;
  /** `master.yaml says families [6]`, `[2001:db8::2]:9989 has no other address`. */
  readonly why: string;
}

/** A target with what is known of its addresses. */
export interface TargetAddresses {
  readonly text: string;
  readonly addresses: readonly string[];
}

/** What of each family is needed, by declaration and by facts; an empty list for a family makes its lack a mere fact. */
export function demandsOf(context: JudgeContext, targets: readonly TargetAddresses[]): Demand[] {
  const demands: Demand[] = [];
  for (const family of context.intent.insists)
    demands.push({ family, beyond: false, why: `${context.intent.source} means IPv${family}` });
  for (const subject of context.subjects) {
    if (subject.kind !== 'listener') continue;
    for (const host of subject.hosts) {
      const family = familyOf(host);
      if (family === 0 || host === '0.0.0.0') continue;
      // `::` takes IPv4 alone where there is no IPv6, so only a person who asks for it by name insists on it.
      if (host === '::' && subject.state !== 'given') continue;
      // Of `localhost` one loopback address is enough.
      if (subject.hosts.length > 1) continue;
      demands.push({
        family,
        beyond: false,
        why: `${subject.text} (${subject.source}) is to be listened on`,
      });
    }
  }
  for (const target of targets) {
    const families = new Set(target.addresses.map((address) => familyOf(address)));
    if (families.size !== 1) continue;
    const [family] = families;
    if (family !== 4 && family !== 6) continue;
    const beyond = target.addresses.some((address) => isBeyond(address));
    demands.push({ family, beyond, why: `${target.text} has no address but IPv${family}` });
  }
  return demands;
}

/** Reached only over a route, never on this host or its links. */
export function isBeyond(address: string): boolean {
  const kind = kindOf(address);
  return kind !== 'loopback' && kind !== 'link-local' && kind !== 'unspecified';
}

/** The targets of this run with all addresses that names or literals give. */
export async function targetAddresses(context: CheckContext): Promise<TargetAddresses[]> {
  const targets = directTargets(context.subjects);
  return Promise.all(
    targets.map(async (target) => ({
      text: target.text,
      addresses: allAddresses(await context.probes.name(target.host, target.server)),
    })),
  );
}

/** Also what the system's lookup hides: an AAAA record on a host without IPv6 is a demand for IPv6, not a missing name. */
function allAddresses(name: NameFacts): string[] {
  return [
    ...new Set([
      ...candidates(name),
      ...(name.hosts.length > 0 ? [] : [...published(name, 4), ...published(name, 6)]),
    ]),
  ];
}
