import { z } from 'zod';
import { complain } from './leaf.ts';

const UNIT = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const;
/** Under this a single step with some output would be held up at every short loss of the link. */
const SMALLEST_SPOOL = UNIT.MB;

/** Bytes of `512MB`, `10GB` (1024 each). */
export const size = z
  .string()
  .transform((text, ctx) => {
    const match = /^(\d{1,6}(?:\.\d{1,3})?) ?(B|KB|MB|GB|TB)$/.exec(text.trim());
    const bytes =
      match === null ? Number.NaN : Math.round(Number(match[1]) * UNIT[match[2] as keyof typeof UNIT]);
    if (Number.isNaN(bytes))
      complain(ctx, `"${text}" is not a size`, 'write a number and a unit: 512MB or 10GB');
    else if (bytes < SMALLEST_SPOOL) complain(ctx, `"${text}" is too small`, 'write 1MB or more');
    else return bytes;
    return z.NEVER;
  })
  .describe('A size: 512MB, 10GB');

/** The text that reads back as `bytes`. */
export function printSize(bytes: number): string {
  const unit =
    (['TB', 'GB', 'MB', 'KB'] as const).find((name) => bytes > 0 && bytes % UNIT[name] === 0) ?? 'B';
  return `${bytes / UNIT[unit]}${unit}`;
}
