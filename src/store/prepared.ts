import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import type { Db } from './database.ts';

/** A query that is written with kysely once, and runs with other values each time. */
export interface Prepared<Values, Row> {
  /** Its rows, or those that it returns. */
  rows(db: Db, values: Values): Promise<Row[]>;
  /** The first of them. */
  first(db: Db, values: Values): Promise<Row | undefined>;
  /** How many rows it changed; of a query without `returning`. */
  changed(db: Db, values: Values): Promise<number>;
}

/** Items that one statement takes: each number of them is a text of its own. */
const AT_ONCE = 8;

/** Where the value of an item belongs. */
class Place {
  readonly item: number;
  readonly name: PropertyKey;

  constructor(item: number, name: PropertyKey) {
    this.item = item;
    this.name = name;
  }
}

/**
 * Prepares a query: `make` is called once for each connection, with a stand-in for every value, so it may only pass them on: a comparison with one
 * would be decided once for all. Kysely makes a tree of each query and prints it, which was a sixth of what a small build cost the master.
 */
export function prepared<Values extends object, Row>(
  make: (db: Db, v: Values) => Compilable<Row>,
): Prepared<Values, Row> {
  const run = compiledOnce<Values, Row>((db, [values]) => make(db, values!));
  return {
    rows: async (db, values) => (await run(db, [values])).rows,
    first: async (db, values) => (await run(db, [values])).rows[0],
    changed: async (db, values) => Number((await run(db, [values])).numAffectedRows ?? 0n),
  };
}

/** The same for a list of any length, of which one statement takes a few: the rows of all of them. */
export function preparedForEach<Item extends object, Row>(
  make: (db: Db, items: readonly Item[]) => Compilable<Row>,
): (db: Db, items: readonly Item[]) => Promise<Row[]> {
  const run = compiledOnce(make);
  return async (db, items) => {
    const rows: Row[] = [];
    for (let from = 0; from < items.length; from += AT_ONCE)
      rows.push(...(await run(db, items.slice(from, from + AT_ONCE))).rows);
    return rows;
  };
}

function compiledOnce<Item extends object, Row>(
  make: (db: Db, items: readonly Item[]) => Compilable<Row>,
): (db: Db, items: readonly Item[]) => Promise<QueryResult<Row>> {
  const compiled = new WeakMap<object, Map<number, CompiledQuery<Row>>>();
  return (db, items) => {
    // A transaction has its connection's.
    const { adapter } = db.getExecutor();
    let texts = compiled.get(adapter);
    if (texts === undefined) compiled.set(adapter, (texts = new Map()));
    let query = texts.get(items.length);
    if (query === undefined) {
      query = make(
        db,
        items.map((_, item) => standIn<Item>(item)),
      ).compile();
      texts.set(items.length, query);
    }
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Place
        ? (items[parameter.item] as Record<PropertyKey, unknown>)[parameter.name]
        : parameter,
    );
    return db.executeQuery({ ...query, parameters });
  };
}

/** Has a place under every name. */
function standIn<Item extends object>(item: number): Item {
  return new Proxy({} as Item, { get: (_, name) => new Place(item, name) });
}
