import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { decodeLogFrame } from '../../../../src/protocol/bbx/codec.ts';
import { masterMessage, workerMessage } from '../../../../src/protocol/bbx/messages.ts';
import { seeded } from '../../../../src/drill/random.ts';
import { LEASES } from '../../../rigs/fuzz/case.ts';
import { MASTER_WORDS } from '../../../rigs/fuzz/master-vocabulary.ts';
import { masterWords } from '../../../rigs/fuzz/master-words.ts';
import { mutateJson, type Part, type Random } from '../../../rigs/fuzz/mutate.ts';
import { pointsOf, saidBy } from '../../../rigs/fuzz/schema-points.ts';
import { WORKER_WORDS } from '../../../rigs/fuzz/worker-vocabulary.ts';
import { probeWords, workerWords } from '../../../rigs/fuzz/worker-words.ts';

const LEASE = LEASES[0]!;
type Say = (random: Random, lease: typeof LEASE) => unknown;
interface Row {
  type: string;
  schema: z.ZodType;
  say: Say;
}

const rowsOf = (
  union: { options: readonly (z.ZodType & { shape: { type: { value: string } } })[] },
  words: Readonly<Record<string, Say>>,
): Row[] =>
  union.options.map((schema) => ({
    type: schema.shape.type.value,
    schema,
    say: words[schema.shape.type.value] ?? (() => undefined),
  }));
const worker = rowsOf(workerMessage, WORKER_WORDS);
const master = rowsOf(masterMessage, MASTER_WORDS);

describe.each([...worker, ...master])('the fuzzer’s "$type"', ({ schema, say }) => {
  it('is a message as a good peer says it, and comes with each field, list, kind and word that the schema has', () => {
    const random = seeded(1);
    const said = new Set<string>();
    for (let times = 0; times < 400; times += 1) {
      const word = say(random, LEASE);
      expect(schema.safeParse(word).success).toBe(true);
      for (const point of saidBy(schema, word)) said.add(point);
    }
    expect([...pointsOf(schema)].filter((point) => !said.has(point))).toEqual([]);
  });

  it('is changed in each of its fields, however deep', () => {
    const random = seeded(2);
    const word = say(random, LEASE);
    const changed = new Set<string>();
    const all = [...placesOf(word, '')];
    for (let times = 0; times < all.length * 20; times += 1)
      for (const place of differences(word, mutateJson(random, word), '')) changed.add(place);
    expect(all.filter((place) => !changed.has(place))).toEqual([]);
  });
});

const CONVERSATIONS = 500;
/** Only said where something before them is answered. */
const AT_THE_DOOR = ['hello', 'authenticate', 'greeting', 'accepted'];

it.each<[string, Row[], (random: Random) => Part[]]>([
  ['worker', worker, (random) => [...probeWords(random), ...workerWords(random, LEASES)]],
  ['master', master, (random) => masterWords(random, LEASES)],
])('the conversations of a %s have all its messages in them', (_, rows, converse) => {
  const random = seeded(3);
  const types = new Set(AT_THE_DOOR);
  let frames = 0;
  for (let times = 0; times < CONVERSATIONS; times += 1) {
    for (const part of converse(random)) {
      if ('text' in part) types.add((JSON.parse(part.text) as { type: string }).type);
      else if (typeof decodeLogFrame(part.bytes) === 'object') frames += 1;
    }
  }
  expect(rows.map(({ type }) => type).filter((type) => !types.has(type))).toEqual([]);
  expect(frames > 0).toBe(rows === worker);
});

/** Every place in a value: `.records[0].fact.kind`. */
function* placesOf(value: unknown, path: string): Generator<string> {
  if (path !== '') yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, each] of Object.entries(value)) yield* placesOf(each, `${path}.${name}`);
}

/** The places at which another value is not the same, and all that is in them. */
function* differences(value: unknown, other: unknown, path: string): Generator<string> {
  if (value === other) return;
  const isObject = typeof value === 'object' && value !== null;
  if (
    !isObject ||
    typeof other !== 'object' ||
    other === null ||
    Array.isArray(value) !== Array.isArray(other)
  )
    return void (path !== '' && (yield path));
  const theirs = other as Record<string, unknown>;
  const own = Object.entries(value);
  const isSmaller = own.length > Object.keys(theirs).length;
  if (isSmaller && path !== '') yield path;
  for (const [name, each] of own) yield* differences(each, theirs[name], `${path}.${name}`);
}
