import { join } from 'node:path';

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a drill's builders do. Each step writes what it prints to files of its own, one for each channel, before it prints it. */
export const BUILDERS = {
  quick: { steps: ['lines 20 0'], result: 'success' },
  steady: { steps: ['lines 60 0.05'], result: 'success' },
  burst: { steps: ['flood 30000'], result: 'success' },
  still: { steps: ['lines 1 1.5', 'lines 3 0.4'], result: 'success' },
  many: {
    steps: ['lines 5 0', 'lines 5 0.1', 'flood 2000', 'lines 5 0', 'lines 1 0', 'lines 8 0.02'],
    result: 'success',
  },
  fails: { steps: ['lines 10 0.02', 'lines 4 0.05 1'], result: 'failure' },
} as const;
export type BuilderName = keyof typeof BUILDERS;
export const BUILDER_NAMES = Object.keys(BUILDERS) as BuilderName[];

/**
 * `talk.sh DIR lines COUNT PAUSE [EXIT]` or `talk.sh DIR flood COUNT`: numbered lines on both channels, each first into its copy. A line
 * that is in a log is therefore always in the copy; of a step that came to its end both are the same.
 */
export const TALK = `#!/bin/sh
set -e
out="$1/$BUILD-$STEP.stdout"; err="$1/$BUILD-$STEP.stderr"
echo "$BUILD $STEP begin $$" >> "$1/trace"
: > "$out"; : > "$err"
case $2 in
  lines)
    n=0
    while [ $n -lt $3 ]; do
      n=$((n+1))
      echo "$BUILD $STEP out $n äöü" >> "$out"; echo "$BUILD $STEP out $n äöü"
      echo "$BUILD $STEP err $n" >> "$err"; echo "$BUILD $STEP err $n" >&2
      [ "$4" = 0 ] || sleep $4
    done ;;
  flood)
    awk -v n=$3 -v b="$BUILD" -v s="$STEP" 'BEGIN { for (i = 1; i <= n; i++) printf "%s %s out %d %060d\\n", b, s, i, i }' > "$out"
    awk -v n=$3 -v b="$BUILD" -v s="$STEP" 'BEGIN { for (i = 1; i <= n / 4; i++) printf "%s %s err %d\\n", b, s, i }' > "$err"
    cat "$err" >&2 & cat "$out"; wait ;;
esac
echo "$BUILD $STEP end $$" >> "$1/trace"
exit \${5:-0}
`;

/** `master.yaml` less `listen` and `reach`. `round` changes with each reload. */
export function drillConfig(options: {
  dir: string;
  workers: readonly string[];
  grace: string;
  round: number;
}): string {
  const { dir, workers, grace, round } = options;
  const builders = Object.entries(BUILDERS).map(([name, { steps }]) => {
    const lines = steps.map(
      (step, index) =>
        `      - { name: s${index}, run: ${JSON.stringify(['sh', join(dir, 'talk.sh'), dir, ...step.split(' ')])}, env: { STEP: "${index}" } }`,
    );
    return `  ${name}:\n    workers: { tags: [drill] }\n    env: { BUILD: "\${{ builder }}-\${{ number }}", ROUND: "${round}" }\n    steps:\n${lines.join('\n')}`;
  });
  return [
    `title: "drill ${round}"`,
    `lostWorkerGrace: ${grace}`,
    `workers: { ${workers.map((name) => `${name}: { tags: [drill] }`).join(', ')} }`,
    `builders:\n${builders.join('\n')}\n`,
  ].join('\n');
}
