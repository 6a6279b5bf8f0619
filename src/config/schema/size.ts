import * as z from 'zod';
import { complain, offIsNull } from './leaf.ts';

const UNIT = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const;
/** Under this a single step with some output would be held up at every short loss of the link. */
const SMALLEST_SPOOL = UNIT.MB;
/** Under this nothing is left to look at. */
const SMALLEST_LOG = UNIT.KB;
/** The end of a log waits in the memory of the worker's keeper, for each command that runs. */
const LARGEST_TAIL = 16 * UNIT.MB;

/** Bytes of `512MB`, `10GB` (1024 each), from `least` to `most`. */
function sizeFrom(least: number, most = Infinity) {
  return z
    .string()
    .transform((text, ctx) => {
      const match = /^(\d{1,6}(?:\.\d{1,3})?) ?(B|KB|MB|GB|TB)$/.exec(text.trim());
      const bytes =
        match === null ? Number.NaN : Math.round(Number(match[1]) * UNIT[match[2] as keyof typeof UNIT]);
      if (Number.isNaN(bytes))
        complain(ctx, `"${text}" is not a size`, 'write a number and a unit: 512MB or 10GB');
      else if (bytes < least) complain(ctx, `"${text}" is too small`, `write ${printSize(least)} or more`);
      else if (bytes > most) complain(ctx, `"${text}" is too large`, `write ${printSize(most)} or less`);
      else return bytes;
      return z.NEVER;
    })
    .describe('A size: 512MB, 10GB');
}

export const spoolSize = sizeFrom(SMALLEST_SPOOL);
/** `off` (or null) for no limit. */
export const logSizeOrOff = z
  .union([z.null(), z.literal('off'), sizeFrom(SMALLEST_LOG)])
  .transform(offIsNull);
export const tailSize = sizeFrom(0, LARGEST_TAIL);

/** The text that reads back as `bytes`. */
export function printSize(bytes: number): string {
  const unit =
    (['TB', 'GB', 'MB', 'KB'] as const).find((name) => bytes > 0 && bytes % UNIT[name] === 0) ?? 'B';
  return `${bytes / UNIT[unit]}${unit}`;
}
