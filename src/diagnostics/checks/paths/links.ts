import type { CheckContext } from '../../check.ts';
import type { LinkFact } from '../../facts/links.ts';
import type { TargetSubject } from '../../subject.ts';
import { noPath } from './question.ts';

export interface LinksAt {
  readonly at: string;
  readonly links: readonly LinkFact[];
}

/** Sends probes over a connection to each address of a master. */
export const gatherLinks = async (context: CheckContext, target: TargetSubject): Promise<LinksAt> => ({
  at: new Date().toISOString(),
  links: await context.probes.links(target),
});

/** Why nothing is said of these links, or undefined. */
export function noLink(target: TargetSubject, links: readonly LinkFact[]): string | undefined {
  const none = noPath(target);
  if (none !== undefined) return none;
  if (target.protocol !== 'bbx') return 'only a master of bbx answers probes';
  if (links.every(({ localEnd }) => localEnd === null)) return 'no master of bbx answers';
  return links.some(({ able }) => able === true) ? undefined : 'this master answers no probes';
}
