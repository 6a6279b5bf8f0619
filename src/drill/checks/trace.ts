import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildObject } from '../../api/objects.ts';
import { BUILDERS } from '../builders.ts';
import { readFrom } from '../read-from.ts';
import { LIVES } from '../sandbox.ts';

/** What steps left of themselves outside of the farm: lines of a file, and the times of others. */
export interface Trace {
  /** What is wrong with the attempts of each request, by what really ran since the last call. One may live so many ms beside the next. */
  check(
    attempts: readonly (readonly BuildObject[])[],
    besideMs: (earlier: BuildObject) => number,
  ): Promise<string[]>;
}

export function openTrace(dir: string): Trace {
  let read = 0;
  return {
    async check(attempts, besideMs) {
      const wrong: string[] = [];
      const names = new Map(attempts.flat().map((build) => [nameOf(build), build]));
      const { text, next } = await readFrom(join(dir, 'trace'), read);
      read = next;
      const begun = new Map<string, number>();
      const ended = new Set<string>();
      for (const line of text.split('\n').filter((one) => one !== '')) {
        const [build = '', step, what] = line.split(' ');
        const key = `${build} ${step}`;
        if (what === 'end') ended.add(key);
        else begun.set(key, (begun.get(key) ?? 0) + 1);
        if (what === 'begin' && !names.has(build))
          wrong.push(`step ${key} ran, and no build of the round has it`);
      }
      for (const [key, times] of begun) if (times > 1) wrong.push(`step ${key} ran ${times} times`);
      for (const [name, { builder, steps }] of names)
        for (const { number, result } of steps ?? [])
          if (
            (result === 'success' || result === 'failure') &&
            BUILDERS[builder]?.steps[number]?.kind !== 'git' &&
            !ended.has(`${name} ${number}`)
          )
            wrong.push(`step ${name} ${number} is ${result} and never came to its end`);
      wrong.push(...(await overlaps(join(dir, LIVES), attempts, besideMs)));
      return wrong;
    },
  };
}

/** As scripts call their build: `$BUILD`. */
const nameOf = ({ builder, number }: BuildObject) => `${builder}-${number}`;

/** Attempts at one request of which an earlier one still lived when a later one had begun. Their files are removed. */
async function overlaps(
  dir: string,
  attempts: readonly (readonly BuildObject[])[],
  besideMs: (earlier: BuildObject) => number,
): Promise<string[]> {
  const times = new Map<string, { from: number; to: number }>();
  for (const file of await readdir(dir)) {
    const build = file.slice(0, file.lastIndexOf('-'));
    const { birthtimeMs, mtimeMs } = await stat(join(dir, file));
    const known = times.get(build) ?? { from: Infinity, to: 0 };
    times.set(build, { from: Math.min(known.from, birthtimeMs), to: Math.max(known.to, mtimeMs) });
    await rm(join(dir, file), { force: true });
  }
  const wrong: string[] = [];
  for (const builds of attempts) {
    for (const [index, later] of builds.entries()) {
      for (const earlier of builds.slice(0, index)) {
        const [before, after] = [times.get(nameOf(earlier)), times.get(nameOf(later))];
        if (before !== undefined && after !== undefined && before.to > after.from + besideMs(earlier))
          wrong.push(
            `${nameOf(earlier)} ran for ${Math.round(before.to - after.from)} ms beside ${nameOf(later)}`,
          );
      }
    }
  }
  return wrong;
}
