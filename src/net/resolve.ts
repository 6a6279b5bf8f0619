import type { Evidence } from './evidence.ts';
import { observe } from './evidence.ts';
import { explain, SILENCE } from './explain.ts';

/** Longer than one round of a system's resolver over one dead server (5 s); a race never waits so long for a family. */
export const LOOKUP_LIMIT_MS = 10_000;

/** What one source said about one name and one family. An answer without addresses has an errno that says why. */
export interface FamilyAnswer {
  name: string;
  family: 4 | 6;
  addresses: readonly string[];
  /** ENOTFOUND, EAI_AGAIN …, or `silence` when no answer came within the limit. */
  errno?: string;
  ms: number;
  /** `system` for getaddrinfo, `builtin` for names that nobody needs to ask for, or a nameserver's address. */
  source: string;
}

export interface Resolver {
  /** Never rejects but with the signal's reason; trouble is part of the answer. */
  resolve(
    name: string,
    family: 4 | 6,
    options?: { signal?: AbortSignal | undefined; limitMs?: number },
  ): Promise<FamilyAnswer>;
}

/**
 * What `localhost` means on every host (RFC 6761 section 6.3), whatever the hosts file lists first. Undefined for any other name.
 */
export function builtinAnswer(name: string, family: 4 | 6): FamilyAnswer | undefined {
  const bare = name.replace(/\.$/, '');
  if (bare !== 'localhost' && !bare.endsWith('.localhost')) return undefined;
  return { name, family, addresses: [family === 4 ? '127.0.0.1' : '::1'], ms: 0, source: 'builtin' };
}

/** `no IPv6 address (ENOTFOUND: the system has no address of that family for the name)`. */
export function describeAnswer(answer: FamilyAnswer): string {
  const family = `IPv${answer.family}`;
  if (answer.addresses.length > 0) return `${family}: ${answer.addresses.join(', ')}`;
  const why = explain('lookup', answer.errno)?.meaning;
  const code = answer.errno === SILENCE ? '' : (answer.errno ?? '');
  return `${family}: ${[code, why].filter(Boolean).join(', ') || 'no address'}`;
}

/** What a lookup gave for one family, as a piece of evidence. */
export function answerEvidence(answer: FamilyAnswer): Evidence {
  const got = answer.addresses.length > 0 ? answer.addresses.join(' ') : (answer.errno ?? 'no address');
  const type = answer.family === 6 ? 'AAAA' : 'A';
  return observe('dns', `${answer.name} ${type} (${answer.source})`, got, { ms: answer.ms });
}
