import type { CallName } from './messages.ts';

/** A question as it came in: of a known name, its numbers numbers and its texts texts. */
export interface CallIn {
  id: number;
  name: CallName;
  ask: never;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const amount: Check = (value) => typeof value === 'number' && value >= 0;
const flag: Check = (value) => typeof value === 'boolean';
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
/** For what an older worker does not say. */
const orNothing =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const record =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const shape =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([name, check]) => check(value[name]));

const log = shape({ id: amount, name: text });
const build = shape({
  ...{ key: text, dir: text, builddir: text, marker: text },
  ...{ uids: list(amount), orphanAfter: orNull(amount), secrets: record(text) },
});

/** What each call must bring; by hand, since a library for it would be the largest part of the keeper. */
const ASKS: Readonly<Record<CallName, Check>> = {
  attach: shape({ wall: orNothing(amount) }),
  hold: shape({ build }),
  run: shape({
    ...{ key: text, step: amount, log, command: list(text), cwd: text, env: record(text), marker: text },
    ...{ identity: orNull(shape({ uid: amount, gid: amount, groups: list(amount) })) },
    ...{ timeoutMs: orNull(amount), maxTimeMs: orNull(amount), sigtermTimeMs: amount },
    tellsEnd: orNothing(flag),
    logMax: orNothing(shape({ bytes: amount, tailBytes: amount })),
  }),
  cancel: shape({ key: text, step: amount }),
  write: shape({
    ...{ key: text, step: amount, log, turn: amount, force: flag },
    channel: (value) => value === 'stdout' || value === 'stderr' || value === 'header',
    bytes: (value) => value instanceof Uint8Array,
  }),
  finish: shape({ key: text, step: amount, log }),
  free: shape({ key: text, log: amount, offset: amount }),
  giveUp: shape({ key: text, why: text }),
  release: shape({ key: text }),
  contact: shape({ ageMs: amount }),
  room: shape({ limit: amount, other: amount }),
  quit: shape({}),
};

/** The question in a line; undefined when it is none, so that whoever sent it is no worker. */
export function checkCall(value: unknown): CallIn | undefined {
  if (!isObject(value)) return undefined;
  const { id, name, ask } = value;
  if (typeof name !== 'string' || !Object.hasOwn(ASKS, name) || typeof id !== 'number') return undefined;
  return ASKS[name as CallName](ask) ? { id, name: name as CallName, ask: ask as never } : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
