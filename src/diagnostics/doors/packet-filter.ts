import { askTool, type Asked } from '../../exec/ask.ts';
import type { FilterFacts, FilterQuestion, UnreadRules } from '../facts/packet-filter.ts';
import { readLegacyFilter } from './legacy-filter.ts';
import { readRuleset } from './nft-ruleset.ts';
import { walkRules } from './nft-walk.ts';

const LIST_MS = 2_000;
/** Users' search path has no programs of the system's. */
const PLACES = ['nft', '/usr/sbin/nft', '/sbin/nft'] as const;

/** Base chains of nftables' families bridge and netdev, which see packets before or behind those of ip and ip6. */
const BRIDGES: UnreadRules = {
  what: "nftables' chains of bridges and devices",
  families: [4, 6],
  command: 'nft list ruleset',
};

/** Reads the rules of this network's packet filter, where this user is shown them, and asks them about first packets. */
export async function readPacketFilter(
  questions: readonly FilterQuestion[],
  signal: AbortSignal,
): Promise<FilterFacts> {
  const at = new Date().toISOString();
  const [{ exit, stdout, complaint, missing }, legacy] = await Promise.all([
    listRules(signal),
    readLegacyFilter(signal),
  ]);
  const without = (state: FilterFacts['state']): FilterFacts => ({ at, state, answers: [], unread: legacy });
  if (missing) return without('no tool');
  if (exit !== 0) return without(/not permitted|permission/i.test(complaint) ? 'hidden' : 'strange');
  const ruleset = readRuleset(stdout);
  if (ruleset === undefined) return without('strange');
  return {
    at,
    state: 'read',
    answers: questions.map((question) => walkRules(ruleset, question)),
    unread: [...legacy, ...(ruleset.bridges ? [BRIDGES] : [])],
  };
}

async function listRules(signal: AbortSignal): Promise<Asked> {
  let asked: Asked = { exit: null, stdout: '', complaint: '', missing: true };
  for (const program of PLACES) {
    asked = await askTool(program, ['-j', 'list', 'ruleset'], { timeoutMs: LIST_MS, signal });
    if (!asked.missing) break;
  }
  return asked;
}
