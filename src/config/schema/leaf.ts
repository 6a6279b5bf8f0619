import * as z from 'zod';
import { BbxError } from '../../base/error.ts';
import { parseDuration } from '../../base/duration.ts';
import { isPin } from '../../base/pin.ts';
import { codes } from '../../net/endpoint/codes.ts';
import { parseAddress } from '../../net/endpoint/address.ts';
import { parseHop } from '../../net/endpoint/hop.ts';
import { parseListen } from '../../net/endpoint/listen-address.ts';

/** Longest time that a configuration may name: 10 years, far under what a timer of a program counts wrong. */
const LONGEST_MS = 3_650 * 86_400_000;

/** Says what is wrong with a value, and in `fix` what to write instead. */
export function complain(ctx: z.RefinementCtx, message: string, fix?: string, path?: PropertyKey[]): void {
  ctx.addIssue({
    code: 'custom',
    message,
    ...(fix === undefined ? {} : { params: { fix } }),
    ...(path === undefined ? {} : { path }),
  });
}

/** Text of at most `max` characters without control characters, so that it can be printed anywhere. */
export function plainText(max: number, min = 0) {
  return z
    .string()
    .min(min)
    .max(max)
    .refine((text) => !hasControl(text), { message: 'holds a control character' });
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

const DURATION_FIX = 'write a number and a unit: 500ms, 10s, 5m, 2h or 7d';
/** A time such as `10s`, as milliseconds. */
export const duration = z
  .string()
  .transform((text, ctx) => {
    const ms = parseDuration(text);
    if (ms === undefined) {
      complain(ctx, `"${text}" is not a duration`, DURATION_FIX);
      return z.NEVER;
    }
    if (ms > LONGEST_MS) {
      complain(ctx, `"${text}" is longer than ten years`, 'write a shorter time');
      return z.NEVER;
    }
    return ms;
  })
  .describe('A duration: 500ms, 10s, 5m, 2h, 7d');

/** A duration above zero. */
export const positiveDuration = duration.refine((ms) => ms > 0, {
  message: 'must be longer than nothing',
  params: { fix: DURATION_FIX },
});

/** `off` (or null) for no limit, given as null; else milliseconds above zero. */
export const durationOrOff = z.union([z.null(), z.literal('off'), positiveDuration]).transform(offIsNull);

/** `off` as null. */
export function offIsNull<Value>(value: Value | 'off' | null): Exclude<Value, 'off'> | null {
  return value === 'off' ? null : (value as Exclude<Value, 'off'> | null);
}

/** A text or a list of texts, each read by `parse`; a BbxError of `parse` becomes a problem at that text. */
export function textsReadBy<Value>(parse: (text: string) => Value) {
  return z.union([z.string(), z.array(z.string()).max(64)]).transform((value, ctx) => {
    const texts = typeof value === 'string' ? [value] : value;
    return texts.map((text, index) => readBy(parse, text, ctx, typeof value === 'string' ? [] : [index]));
  });
}

function readBy<Value>(
  parse: (text: string) => Value,
  text: string,
  ctx: z.RefinementCtx,
  path: PropertyKey[],
): Value {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    const { column, problem } = error.data;
    ctx.addIssue({
      code: 'custom',
      // The place in the file says more than the place in the value.
      message: typeof problem === 'string' ? `"${text}": ${problem}` : error.message,
      path,
      params: { fix: error.hint, column },
    });
    return z.NEVER;
  }
}

/** Reads an address of a master; the port is 9989 unless it is written. */
export const masterAddress = (text: string) => parseAddress(text);
/** A host that steps download from; the port is that of https unless it is written. Throws BbxError. */
export const neededHost = (text: string) => {
  const address = parseAddress(text, { defaultPort: 443 });
  if (address.kind === 'tcp') return address;
  throw codes['BBX-NET-ADDRESS']({
    text,
    column: 1,
    problem: 'it is no host with a port',
    expected: 'host:443 or [2001:db8::2]:443',
  });
};
/** Listening addresses; `defaultPort` stands in for one that is not written. */
export const listenAddresses = (defaultPort: number) =>
  textsReadBy((text) => parseListen(text, { defaultPort }));
export const hops = textsReadBy(parseHop);

/** A tag, as builders ask for it and workers have it. */
export const tag = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}$/, {
  error: 'is not a tag: letters, digits and . _ : + - , at most 64',
});
export const tags = z.array(tag).max(64);

/** One pin or several of a master's key. */
export const pins = z.union([z.string(), z.array(z.string()).max(8)]).transform((value, ctx) => {
  const texts = typeof value === 'string' ? [value] : value;
  texts.forEach((text, index) => {
    if (isPin(text)) return;
    complain(
      ctx,
      `"${text}" is not a pin: it must be sha256: and 43 characters of base64url`,
      'copy the line that "bbx run master" prints, or take it from the join string',
      typeof value === 'string' ? [] : [index],
    );
  });
  return texts;
});
