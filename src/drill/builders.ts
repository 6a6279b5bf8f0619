import type { Result } from '../build/results.ts';

/** A checkout of the drill's repository; what git says of it is not known beforehand. */
export interface SourceStep {
  kind: 'git';
  mode: 'full' | 'incremental';
}

/** What another step of a drill's builder does; both forms print known bytes on both channels. */
export interface DrillStep {
  /** Lines on each channel, one after the other, with a pause after each; or all at once. */
  kind: 'lines' | 'flood';
  count: number;
  /** Tenths of a second after each line. */
  pause?: number;
  exit?: number;
  /** Prints the value of a secret, which must come out masked. */
  secret?: boolean;
  /** Begins with a look at the checkout, which must be whole, and leaves some of it away for the next one. */
  checks?: boolean;
}

export interface DrillBuilder {
  steps: readonly (DrillStep | SourceStep)[];
  result: Result;
  weight: number;
}

/** Short and long, quiet and loud, of one step and of many, red ones and one with a secret. */
export const BUILDERS: Readonly<Record<string, DrillBuilder>> = {
  quick: { weight: 3, result: 'success', steps: [{ kind: 'lines', count: 20 }] },
  steady: { weight: 3, result: 'success', steps: [{ kind: 'lines', count: 15, pause: 1 }] },
  burst: { weight: 2, result: 'success', steps: [{ kind: 'flood', count: 20_000 }] },
  still: {
    weight: 2,
    result: 'success',
    steps: [
      { kind: 'lines', count: 1, pause: 12 },
      { kind: 'lines', count: 3, pause: 3 },
    ],
  },
  many: {
    weight: 3,
    result: 'success',
    steps: [
      { kind: 'lines', count: 5 },
      { kind: 'lines', count: 4, pause: 1 },
      { kind: 'flood', count: 2_000 },
      { kind: 'lines', count: 5 },
      { kind: 'lines', count: 6, pause: 1 },
    ],
  },
  fails: {
    weight: 1,
    result: 'failure',
    steps: [
      { kind: 'lines', count: 4, pause: 1 },
      { kind: 'lines', count: 4, pause: 1, exit: 1 },
    ],
  },
  clone: {
    weight: 1,
    result: 'success',
    steps: [
      { kind: 'git', mode: 'full' },
      { kind: 'lines', count: 5, checks: true },
    ],
  },
  update: {
    weight: 1,
    result: 'success',
    steps: [
      { kind: 'git', mode: 'incremental' },
      { kind: 'lines', count: 3, pause: 1, checks: true },
    ],
  },
  // For faults that need a build to be there: nobody asks for it by chance.
  long: { weight: 0, result: 'success', steps: [{ kind: 'lines', count: 80, pause: 1 }] },
  secret: { weight: 1, result: 'success', steps: [{ kind: 'lines', count: 8, pause: 1, secret: true }] },
};
/** Those that check sources out. */
export const SOURCE_BUILDERS: ReadonlySet<string> = new Set(
  Object.keys(BUILDERS).filter((name) => BUILDERS[name]?.steps.some(({ kind }) => kind === 'git')),
);

/** Bytes that a step prints on each channel when it runs to its end. */
export interface Printed {
  stdout: Buffer;
  stderr: Buffer;
}

/** What masking leaves of a secret. */
const MASKED = '***';

/** What `TALK` prints as step `index` of a build (`quick-12`). */
export function printedBy(build: string, index: number, step: DrillStep): Printed {
  const who = `${build} ${index}`;
  const out: string[] = [];
  const err: string[] = [];
  const flood = step.kind === 'flood';
  for (let n = 1; n <= step.count; n += 1) {
    const rest = flood ? String(n).padStart(60, '0') : `äöü${step.secret === true ? ` ${MASKED}` : ''}`;
    out.push(`o ${who} ${n} ${rest}\n`);
    if (!flood || n % 4 === 0) err.push(`E ${who} ${n}\n`);
  }
  return { stdout: Buffer.from(out.join('')), stderr: Buffer.from(err.join('')) };
}

/** Words after `sh talk.sh DIR` that make it do a step. */
export function wordsOf(step: DrillStep): string[] {
  return [step.kind, String(step.count), String(step.pause ?? 0), String(step.exit ?? 0)];
}

/**
 * `talk.sh DIR KIND COUNT PAUSE EXIT`, with `$BUILD`, `$STEP` and perhaps `$SECRET`; with `$SOURCE` the checkout must be whole and have that revision. Beside what it prints it leaves a trace outside of the farm: a line
 * when it begins and when it ends, and a file that it writes to at least every 0.1 s, whose times tell when it lived.
 */
export const TALK = `#!/bin/sh
life="$1/lives/$BUILD-$STEP"
echo "$BUILD $STEP begin $$" >> "$1/trace"
: >> "$life"
if [ -n "$SOURCE" ]; then
  # What stops here has no end in the trace: the drill tells of it.
  [ "$(git rev-parse HEAD)" = "$SOURCE" ] && [ -z "$(git status --porcelain)" ] || { git status --short | head -5 >&2; exit 3; }
  rm -rf src/1*
fi
pause() { left=$1; while [ "$left" -gt 0 ]; do sleep 0.1; echo . >> "$life"; left=$((left-1)); done; }
case $2 in
  lines)
    n=0
    while [ $n -lt $3 ]; do
      n=$((n+1)); echo . >> "$life"
      echo "o $BUILD $STEP $n äöü\${SECRET:+ $SECRET}"
      echo "E $BUILD $STEP $n" >&2
      pause "$4"
    done ;;
  flood)
    awk -v n="$3" -v b="$BUILD" -v s="$STEP" 'BEGIN { for (i = 4; i <= n; i += 4) printf "E %s %s %d\\n", b, s, i }' >&2 &
    awk -v n="$3" -v b="$BUILD" -v s="$STEP" 'BEGIN { for (i = 1; i <= n; i++) printf "o %s %s %d %060d\\n", b, s, i, i }'
    wait ;;
esac
echo . >> "$life"
echo "$BUILD $STEP end $$" >> "$1/trace"
exit "$5"
`;
