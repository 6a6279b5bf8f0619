import type { NodeOption, PolicyFacts } from '../facts/policy.ts';
import { readSmall } from './resolver.ts';

/** What glibc gives `::/0` where the file has no line for it (RFC 6724 section 2.1). */
const DEFAULT_GLOBAL_IPV6 = 40;

/** Reads gai.conf, and which of Node's options this shell hands on. `gaiConf` stands in for the system's file in tests. */
export async function readPolicy(
  env: Readonly<Record<string, string | undefined>>,
  gaiConf = '/etc/gai.conf',
): Promise<PolicyFacts> {
  const text = (await readSmall(gaiConf)) ?? '';
  const gai = text
    .split('\n')
    .map((line, index) => ({ line: index + 1, text: (line.split('#')[0] ?? '').trim() }))
    .filter((line) => /^(precedence|label|scopev4)\s/.test(line.text));
  return {
    at: new Date().toISOString(),
    gai,
    prefersIpv4: prefersIpv4(gai.map((line) => line.text)),
    node: nodeOptions(env['NODE_OPTIONS'], env['NODE_TLS_REJECT_UNAUTHORIZED'], 'this shell'),
  };
}

/** The table of the file replaces the whole of glibc's; `::/0` is then put in again with its usual value. */
function prefersIpv4(lines: readonly string[]): boolean {
  const precedence = new Map(
    lines.flatMap((line) => {
      const [, prefix = '', value] = /^precedence\s+(\S+)\s+(\d+)$/.exec(line) ?? [];
      return value === undefined ? [] : [[prefix.toLowerCase(), Number(value)] as const];
    }),
  );
  if (precedence.size === 0) return false;
  const ipv6 = precedence.get('2000::/3') ?? precedence.get('::/0') ?? DEFAULT_GLOBAL_IPV6;
  const ipv4 = precedence.get('::ffff:0:0/96') ?? precedence.get('::ffff:0.0.0.0/96');
  // What the table does not name falls under `::/0`, and of equals the earlier rules decide.
  return ipv4 !== undefined && ipv4 > ipv6;
}

const CONCERNED =
  /^--(?:dns-result-order|no-network-family-autoselection|network-family-autoselection-attempt-timeout|no-enable-network-family-autoselection)(?:=|$)/;

/** The options of Node that concern connections, out of `NODE_OPTIONS`; nothing else of it is told. */
export function nodeOptions(
  options: string | undefined,
  rejectUnauthorized: string | undefined,
  where: string,
): NodeOption[] {
  const words = (options ?? '').split(/\s+/).map((word) => word.replace(/^["']|["']$/g, ''));
  // Node takes `_` for `-` in its options, and a value behind a space.
  const joined = words.map((word, at) => {
    const plain = /^--/.test(word) ? word.replaceAll('_', '-') : word;
    const next = words[at + 1];
    return !plain.includes('=') && next !== undefined && !next.startsWith('-') ? `${plain}=${next}` : plain;
  });
  return [
    ...joined.filter((word) => CONCERNED.test(word)).map((text) => ({ text, where })),
    ...(rejectUnauthorized === '0' ? [{ text: 'NODE_TLS_REJECT_UNAUTHORIZED=0', where }] : []),
  ];
}
