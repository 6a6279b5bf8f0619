import { writeFile } from 'node:fs/promises';

/**
 * A wall clock that jumps while a program runs: what a file says (seconds, may be negative) is added to `Date` in every Node that was
 * started with this option. Monotonic time is left alone, as a real jump leaves it. Works for sources and for the published bundle, since it
 * is an option of Node and needs no file of its own.
 */
export function shiftedClock(file: string): {
  env: { NODE_OPTIONS: string };
  jump(seconds: number): Promise<void>;
} {
  const source = PRELOAD.replace('FILE', JSON.stringify(file));
  return {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` },
    jump: (seconds) => writeFile(file, String(seconds)),
  };
}

/** Read every 20 ms: who waits 100 ms after a jump is on the safe side. */
const PRELOAD = `
import { readFileSync } from 'node:fs';
const { now } = Date;
let shift = 0;
const look = () => {
  try {
    const seconds = Number(readFileSync(FILE, 'utf8'));
    if (Number.isFinite(seconds)) shift = seconds * 1000;
  } catch {}
};
look();
setInterval(look, 20).unref();
Date.now = () => now() + shift;
globalThis.Date = new Proxy(Date, {
  construct: (target, given, as) => Reflect.construct(target, given.length === 0 ? [target.now()] : given, as),
  apply: (target) => new target(target.now()).toString(),
});
`;
