import type { FilterAnswer, FilterPlace, FilterQuestion } from '../facts/packet-filter.ts';
import { among, fits, isObject, knownOf, type Fit, type Scope } from './nft-match.ts';
import type { Chain, Rule, Ruleset, Statement } from './nft-ruleset.ts';

/** Chains that call one another deeper than the kernel lets them (NFT_JUMP_STACK_SIZE). */
const MOST_JUMPS = 16;
/** A ruleset in which a packet could go more ways than this is not followed. */
const MOST_RULES = 20_000;

/** One of the ways in which a packet can leave a chain. */
interface Exit {
  readonly way: 'accept' | 'drop' | 'reject' | 'return';
  readonly by: FilterPlace | null;
}

/** Statements that let the packet go on, and do nothing else to its way. */
const PASSING = new Set(['counter', 'log', 'notrack', 'mangle', 'ct helper', 'comment']);
/** Statements behind which only some packets come: those within a limit, or for which a set still had room. */
const SIFTING = new Set(['limit', 'quota', 'ct count', 'set', 'map', 'meter']);

/**
 * What the rules do with the first packet of a connection whoever sends it. It is followed on every way that is possible by what is known of it, so
 * `dropped` and `rejected` are said only where no way passes; words that are not read here may always let it pass.
 */
export function walkRules(ruleset: Ruleset, question: FilterQuestion): FilterAnswer {
  const budget = { rules: MOST_RULES };
  const open: FilterAnswer = { ...question, fate: 'open', by: null };
  // Who is sent elsewhere first meets the rules with another port.
  const before = question.hook === 'input' ? 'prerouting' : 'output';
  const bases = [...ruleset.chains.values()].filter(
    (chain) => chain.hook !== null && isOfFamily(chain.family, question.family),
  );
  const isSentElsewhere = bases
    .filter(({ hook, type }) => hook === before && type === 'nat')
    .some((chain) => walk(chain, question, ruleset, budget, 0).includes(UNREAD));
  if (isSentElsewhere) return open;
  for (const chain of bases.filter(({ hook, type }) => hook === question.hook && type !== 'nat')) {
    const exits = walk(chain, question, ruleset, budget, 0).map((exit): Exit =>
      exit.way !== 'return'
        ? exit
        : { way: chain.policy === 'drop' ? 'drop' : 'accept', by: { chain: chain.name, handle: null } },
    );
    if (budget.rules <= 0) return open;
    const [first] = exits;
    if (first === undefined || exits.some(({ way }) => way === 'accept')) continue;
    return { ...question, fate: first.way === 'reject' ? 'rejected' : 'dropped', by: first.by };
  }
  return open;
}

function isOfFamily(table: string, family: 4 | 6): boolean {
  return table === 'inet' || table === (family === 6 ? 'ip6' : 'ip');
}

/** The exits of a chain that are possible, in the order of its rules. */
function walk(
  chain: Chain,
  question: FilterQuestion,
  ruleset: Ruleset,
  budget: { rules: number },
  depth: number,
): Exit[] {
  const scope: Scope = { ruleset, table: `${chain.family} ${chain.table}` };
  const exits: Exit[] = [];
  for (const rule of chain.rules) {
    budget.rules -= 1;
    // Not followed to the end: it may pass.
    if (budget.rules <= 0 || depth > MOST_JUMPS) return [...exits, { way: 'accept', by: null }];
    const { sure, ways } = leave(rule, chain, question, scope, (name) => {
      const called = ruleset.chains.get(`${scope.table} ${name}`);
      return called === undefined ? [UNREAD] : walk(called, question, ruleset, budget, depth + 1);
    });
    exits.push(...ways.filter(({ way, by }) => way !== 'return' || by !== null));
    const goesOn = !sure || ways.length === 0 || ways.some(({ way, by }) => way === 'return' && by === null);
    if (!goesOn) return exits;
  }
  return [...exits, { way: 'return', by: null }];
}

/** Something that is not read here, and so may let the packet pass. */
const UNREAD: Exit = { way: 'accept', by: null };

/** How the packet may leave the chain by one rule; `sure`: it fits the rule. A `return` without a place means: on to the next rule. */
function leave(
  { handle, statements }: Rule,
  { name }: Chain,
  question: FilterQuestion,
  scope: Scope,
  call: (chain: string) => readonly Exit[],
): { sure: boolean; ways: readonly Exit[] } {
  const by = { chain: name, handle };
  let sure = true;
  for (const statement of statements) {
    const [[word, value] = ['', null]] = Object.entries(statement);
    if (word === 'match') {
      const fit = fits(value, question, scope);
      if (fit === 'no') return { sure: true, ways: [] };
      if (fit === 'maybe') sure = false;
    } else if (SIFTING.has(word)) sure = false;
    else if (word === 'vmap') {
      const chosen = choose(value, question, scope);
      const ways = chosen.flatMap(({ verdict, fit }) =>
        fit === 'no' ? [] : (waysOf(verdict, by, call) ?? [UNREAD]),
      );
      if (chosen.length === 0) return { sure: false, ways: [UNREAD] };
      return { sure: sure && chosen.some(({ fit }) => fit === 'yes'), ways };
    } else if (!PASSING.has(word)) return { sure, ways: waysOf(statement, by, call) ?? [UNREAD] };
  }
  return { sure, ways: [] };
}

/** Where a verdict leads; undefined for what is none, or is not read here. */
function waysOf(
  statement: Statement,
  by: FilterPlace,
  call: (chain: string) => readonly Exit[],
): readonly Exit[] | undefined {
  const [[word, value] = ['', null]] = Object.entries(statement);
  const chain = isObject(value) ? value['target'] : undefined;
  switch (word) {
    case 'accept':
    case 'drop':
    case 'reject':
      return [{ way: word, by }];
    case 'return':
      return [{ way: 'return', by }];
    case 'continue':
      return [{ way: 'return', by: null }];
    case 'jump':
      // A chain that is left without a verdict goes on behind the jump.
      return typeof chain === 'string'
        ? call(chain).map((exit) => (exit.way === 'return' ? ON : exit))
        : undefined;
    case 'goto':
      return typeof chain === 'string'
        ? call(chain).map((exit) => (exit.way === 'return' ? { way: 'return', by } : exit))
        : undefined;
    default:
      return undefined;
  }
}

const ON: Exit = { way: 'return', by: null };

/** The verdicts of a map that the packet may get. */
function choose(value: unknown, question: FilterQuestion, scope: Scope): { verdict: Statement; fit: Fit }[] {
  const data: unknown = isObject(value) ? value['data'] : undefined;
  const named =
    typeof data === 'string' ? scope.ruleset.sets.get(`${scope.table} ${data.slice(1)}`) : undefined;
  const pairs: unknown = isObject(data) ? data['set'] : named;
  if (!isObject(value) || !Array.isArray(pairs)) return [];
  const known = knownOf(value['key'], question, scope);
  return pairs.map((pair: unknown) => {
    const [key, verdict] = Array.isArray(pair) ? (pair as unknown[]) : [];
    return { verdict: isObject(verdict) ? verdict : {}, fit: among(known, key, scope) };
  });
}
