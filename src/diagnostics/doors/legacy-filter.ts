import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askTool } from '../../exec/ask.ts';
import type { UnreadRules } from '../facts/packet-filter.ts';
import type { Family } from '../intent.ts';

const TOOL_MS = 2_000;
/** Where the kernel names the old tables of each family that are loaded (to root), and the program that writes them down. */
const OLD = [
  { family: 4, names: 'net/ip_tables_names', program: 'iptables-legacy-save' },
  { family: 6, names: 'net/ip6_tables_names', program: 'ip6tables-legacy-save' },
] as const satisfies readonly { family: Family; names: string; program: string }[];
/** Users' search path has no programs of the system's. */
const PLACES = ['', '/usr/sbin/', '/sbin/'];
/** Chains of the kernel through which a packet goes that comes to this host or leaves it; FORWARD is for others. */
const OWN_CHAINS = ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'];
/** Targets behind which a packet goes on, or goes elsewhere within this host. */
const PASSING = new Set([
  ...['ACCEPT', 'RETURN', 'LOG', 'NFLOG', 'ULOG', 'AUDIT', 'CT', 'NOTRACK', 'MARK', 'CONNMARK', 'TCPMSS'],
  ...['SNAT', 'DNAT', 'MASQUERADE', 'REDIRECT', 'NETMAP', 'DSCP', 'TOS', 'CLASSIFY', 'CHECKSUM', 'TRACE'],
]);

/** As iptables-save(8) writes a text that has spaces: quotes and backslashes within it have a backslash. */
const QUOTED = /"(?:[^"\\]|\\.)*"/g;

/** Tables of iptables-legacy, which nft does not list, as far as they may stop something; those that are loaded and cannot be read among them. */
export async function readLegacyFilter(signal: AbortSignal, proc = '/proc'): Promise<UnreadRules[]> {
  const all = await Promise.all(
    OLD.map(async ({ family, names, program }): Promise<UnreadRules[]> => {
      const loaded = await readFile(join(proc, names), 'utf8').catch(() => '');
      if (loaded.trim() === '') return [];
      const saved = await save(program, signal);
      if (saved !== undefined && !mayStop(saved)) return [];
      return [{ what: program.replace('-save', ''), families: [family], command: program }];
    }),
  );
  return all.flat();
}

/** All tables as text; undefined where the program is not there or not obeyed. */
async function save(program: string, signal: AbortSignal): Promise<string | undefined> {
  for (const place of PLACES) {
    const { missing, exit, stdout } = await askTool(`${place}${program}`, [], { timeoutMs: TOOL_MS, signal });
    if (!missing) return exit === 0 ? stdout : undefined;
  }
  return undefined;
}

/** Whether rules in the form of iptables-save(8) could stop a packet that comes to this host or leaves it. Whatever is not known here could. */
export function mayStop(saved: string): boolean {
  return saved.split(/^\*/m).some((table) => {
    const policies = new Map(
      [...table.matchAll(/^:(\S+) (\S+)/gm)].map(([, name = '', policy = '']) => [name, policy]),
    );
    const rules = [...table.matchAll(/^-A (\S+)(.*)$/gm)].map(([, chain = '', rest = '']) => ({
      chain,
      // A comment between quotes may say anything.
      target: /(?:^| )(?:-j|-g|--jump|--goto) (\S+)/.exec(rest.replaceAll(QUOTED, '""'))?.[1],
    }));
    const entered = new Set(OWN_CHAINS);
    // A set that grows while it is walked: the chains that are called are walked as well.
    for (const chain of entered)
      for (const rule of rules)
        if (rule.chain === chain && rule.target !== undefined && policies.get(rule.target) === '-')
          entered.add(rule.target);
    return (
      OWN_CHAINS.some((chain) => !['ACCEPT', undefined].includes(policies.get(chain))) ||
      rules.some(
        ({ chain, target }) =>
          entered.has(chain) && target !== undefined && !entered.has(target) && !PASSING.has(target),
      )
    );
  });
}
