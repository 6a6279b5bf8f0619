import * as z from 'zod';

/** A statement of a rule, as `nft -j` writes it: one key, whose value says the rest. */
const statement = z.record(z.string(), z.unknown());
const chain = z.looseObject({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  type: z.string().optional(),
  hook: z.string().optional(),
  policy: z.string().optional(),
});
const rule = z.looseObject({
  family: z.string(),
  table: z.string(),
  chain: z.string(),
  handle: z.number(),
  expr: z.array(statement),
});
const set = z.looseObject({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  elem: z.array(z.unknown()).optional(),
});
const ruleset = z.object({ nftables: z.array(z.record(z.string(), z.unknown())) });

export type Statement = z.infer<typeof statement>;

export interface Rule {
  readonly handle: number;
  readonly statements: readonly Statement[];
}

export interface Chain {
  /** `inet filter input`. */
  readonly name: string;
  readonly family: string;
  readonly table: string;
  /** Of base chains alone. */
  readonly hook: string | null;
  readonly type: string | null;
  readonly policy: string;
  readonly rules: readonly Rule[];
}

/** Chains and named sets, each by `family table name`. */
export interface Ruleset {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly sets: ReadonlyMap<string, readonly unknown[]>;
  /** Some packets have no state of a connection, as a rule says (`notrack`). */
  readonly untracks: boolean;
  /** Chains of bridges or devices may stop something. */
  readonly bridges: boolean;
}

/** Reads what `nft -j list ruleset` prints (libnftables-json(5)); undefined for anything else. */
export function readRuleset(text: string): Ruleset | undefined {
  let listed: z.infer<typeof ruleset>;
  try {
    listed = ruleset.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
  const chains = new Map<string, Chain & { rules: Rule[] }>();
  const sets = new Map<string, readonly unknown[]>();
  for (const object of listed.nftables) {
    const madeChain = chain.safeParse(object['chain']);
    if (madeChain.success) {
      const { family, table, name, hook = null, type = null, policy = 'accept' } = madeChain.data;
      const full = `${family} ${table} ${name}`;
      chains.set(full, { name: full, family, table, hook, type, policy, rules: [] });
    }
    const madeSet = set.safeParse(object['set'] ?? object['map']);
    if (madeSet.success) {
      const { family, table, name, elem = [] } = madeSet.data;
      sets.set(`${family} ${table} ${name}`, elem);
    }
    const madeRule = rule.safeParse(object['rule']);
    if (madeRule.success) {
      const { family, table, chain: name, handle, expr } = madeRule.data;
      chains.get(`${family} ${table} ${name}`)?.rules.push({ handle, statements: expr });
    } else if (object['rule'] !== undefined) return undefined;
  }
  const rules = [...chains.values()].flatMap((one) => one.rules);
  const untracks = rules.some(({ statements }) => statements.some((one) => 'notrack' in one));
  return { chains, sets, untracks, bridges: mayBridgesStop([...chains.values()]) };
}

/** Words of a rule behind which a packet may have come to its end. */
const STOPPING = ['drop', 'reject', 'vmap', 'jump', 'goto'];

/** Whether a chain of a bridge or device refuses by its policy, or has a rule that does or may. Chains for what is only forwarded are of no matter. */
function mayBridgesStop(chains: readonly Chain[]): boolean {
  return chains.some(
    ({ family, hook, policy, rules }) =>
      hook !== null &&
      hook !== 'forward' &&
      (['bridge', 'netdev'].includes(family) || hook === 'ingress') &&
      (policy === 'drop' ||
        rules.some(({ statements }) => statements.some((one) => STOPPING.some((word) => word in one)))),
  );
}
