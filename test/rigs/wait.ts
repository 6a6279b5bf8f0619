import { setTimeout as delay } from 'node:timers/promises';

/** Asks again until the answer is there (anything but undefined or false), at most `limitMs`; says what it waited for. */
export async function until<Value>(
  what: string,
  ask: () => Promise<Value | undefined | false> | Value | undefined | false,
  limitMs = 20_000,
): Promise<Value> {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms for ${what}`);
    await delay(50);
  }
}
