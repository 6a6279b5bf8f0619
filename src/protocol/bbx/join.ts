import { createHash } from 'node:crypto';
import * as z from 'zod';
import { isPin } from '../../base/pin.ts';
import { Secret } from '../../base/secret.ts';
import { protocolCodes } from '../codes.ts';

/** What a worker gets by hand to join a farm: `bbx1.…` on one line. */
export interface Join {
  /** Keys of the master to trust, `sha256:…`, at least one. */
  pins: readonly string[];
  /** Ways to reach the master, best first. */
  reach: readonly string[];
  /** Sent once, to enrol the worker's key. */
  secret: Secret;
  /** How many workers may enrol with it. */
  uses: number;
  /** Epoch seconds; null: it does not expire. */
  expires: number | null;
  /** The worker's name, or a pattern (`base/pattern.ts`) that names must match. */
  names: string;
}

const PREFIX = 'bbx1.';
/** First bytes of the SHA-256 of the content: one typing error in four thousand million goes unseen. */
const CHECKSUM_BYTES = 4;
/** Long enough for 32 ways of 100 characters; a pasted file is refused before it is decoded. */
const MAX_CHARACTERS = 8_192;
const PIN_PREFIX = 'sha256:';

/** One letter for each field keeps the string short; unknown ones are ignored, so that later versions can add. */
const content = z.object({
  p: z
    .array(z.string().refine((rest) => isPin(PIN_PREFIX + rest)))
    .min(1)
    .max(8),
  r: z.array(z.string().min(1).max(300)).min(1).max(32),
  s: z.string().min(16).max(200),
  u: z.number().int().positive().max(1_000_000),
  e: z.number().nonnegative().nullable(),
  n: z.string().min(1).max(100),
});

/** Gives the one line of text that `parseJoin` reads. */
export function printJoin(join: Join): string {
  const json = JSON.stringify({
    p: join.pins.map((pin) => (pin.startsWith(PIN_PREFIX) ? pin.slice(PIN_PREFIX.length) : pin)),
    r: join.reach,
    s: join.secret.reveal(),
    u: join.uses,
    e: join.expires,
    n: join.names,
  });
  const bytes = Buffer.from(json);
  return PREFIX + Buffer.concat([checksum(bytes), bytes]).toString('base64url');
}

/** Reads what `printJoin` wrote; spaces and line breaks of copying are ignored. Throws BBX-PRO-JOIN, which never shows the string. */
export function parseJoin(text: string): Join {
  if (text.length > MAX_CHARACTERS) throw wrong(`it is longer than ${MAX_CHARACTERS} characters`);
  const compact = text.replaceAll(/\s+/g, '');
  if (compact === '') throw wrong('it is empty');
  if (!compact.startsWith(PREFIX)) {
    const newer = /^bbx(\d+)\./.exec(compact);
    throw wrong(
      newer === null ? 'it does not begin with "bbx1."' : `its form ${newer[1]} is newer than this bbx`,
    );
  }
  const encoded = compact.slice(PREFIX.length);
  const stranger = /[^A-Za-z0-9_-]/.exec(encoded);
  if (stranger !== null) throw wrong(`character ${PREFIX.length + stranger.index + 1} cannot stand in it`);
  const raw = Buffer.from(encoded, 'base64url');
  const bytes = raw.subarray(CHECKSUM_BYTES);
  if (!checksum(bytes).equals(raw.subarray(0, CHECKSUM_BYTES))) {
    throw wrong('its checksum is wrong, so a part is missing or mistyped');
  }
  const parsed = content.safeParse(json(bytes));
  if (!parsed.success) throw wrong('its content is not that of a join string');
  const { p, r, s, u, e, n } = parsed.data;
  return {
    pins: p.map((pin) => PIN_PREFIX + pin),
    reach: r,
    secret: new Secret(s),
    uses: u,
    expires: e,
    names: n,
  };
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, CHECKSUM_BYTES);
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function wrong(state: string) {
  return protocolCodes['BBX-PRO-JOIN']({ state });
}
