import { closeSync, openSync } from 'node:fs';
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
  // There from the beginning, so that no program looks for it in vain again and again.
  closeSync(openSync(file, 'a', 0o600));
  const source = PRELOAD.replace('FILE', JSON.stringify(file));
  return {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` },
    // Over what stands there, without a moment in which it is empty, which would be a jump of its own.
    jump: (seconds) => writeFile(file, String(seconds).padEnd(WIDTH), { flag: 'r+' }),
  };
}

/** Characters of any number of seconds. */
const WIDTH = 16;

/**
 * The file is read when somebody asks for the time, at most every 20 ms: who waits 100 ms after a jump is on the safe side, and a program that
 * rests is not woken.
 */
const PRELOAD = `
import { openSync, readSync } from 'node:fs';
const { now } = Date;
const text = Buffer.alloc(${WIDTH});
let file;
let shift = 0;
let looked = -Infinity;
const look = () => {
  const at = performance.now();
  if (at - looked < 20) return;
  looked = at;
  try {
    file ??= openSync(FILE, 'r');
    const seconds = Number(text.toString('latin1', 0, readSync(file, text, 0, ${WIDTH}, 0)));
    if (Number.isFinite(seconds)) shift = seconds * 1000;
  } catch {}
};
Date.now = () => {
  look();
  return now() + shift;
};
globalThis.Date = new Proxy(Date, {
  construct: (target, given, as) => Reflect.construct(target, given.length === 0 ? [target.now()] : given, as),
  apply: (target) => new target(target.now()).toString(),
});
`;
