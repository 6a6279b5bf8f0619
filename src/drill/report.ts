/** What came of one round. Times are seconds, sizes bytes. */
export interface RoundReport {
  round: number;
  fault: string;
  /** What was done, in words. */
  words: string;
  /** Builds that were asked for, and attempts at them. */
  asked: number;
  attempts: number;
  /** Output of their steps. */
  bytes: number;
  /** Requests that are gone, never ended, or ended as they must not. */
  buildsLost: number;
  bytesLost: number;
  bytesDoubled: number;
  /** From the blow until somebody acted on it: a worker dialled anew, the master missed it, status told of it; null when nobody had to. */
  noticeSeconds: number | null;
  /** From the end of the fault until the farm was whole: all workers back, no trouble; null when it never was. */
  recoverSeconds: number | null;
  tookSeconds: number;
  /** The master's memory and open files at the end; null where the system does not tell. */
  masterBytes: number | null;
  masterHandles: number | null;
  /** Everything that is not as it must be. */
  wrong: string[];
}

/** Smallest, middle and largest of some numbers. */
export interface Spread {
  min: number;
  median: number;
  max: number;
}

/** The answer of `bbx drill --json`; `docs/drill.md` says what each part means. */
export interface DrillReport {
  schema: 'bbx.drill/1';
  /** `interrupted`: nothing went wrong in the rounds that came to their end, and others were not begun. */
  verdict: 'ok' | 'failed' | 'interrupted';
  seed: number;
  store: string;
  rounds: number;
  seconds: number;
  builds: number;
  attempts: number;
  bytes: number;
  buildsLost: number;
  bytesLost: number;
  bytesDoubled: number;
  /** Largest at the end of any round. */
  masterBytes: number | null;
  masterHandles: number | null;
  faults: {
    name: string;
    rounds: number;
    failed: number;
    noticeSeconds: Spread | null;
    recoverSeconds: Spread | null;
  }[];
  /** Faults that were asked for and cannot be made here. */
  skipped: { name: string; because: string }[];
  failures: Failure[];
}

/** A round that went wrong, or the end of a farm. */
export interface Failure {
  round: number;
  fault: string;
  words: string;
  wrong: string[];
  /** The sandbox, kept with all that its programs said. */
  dir: string;
  /** The command that does the same again. */
  repeat: string;
}

/** Sums rounds up. */
export function sumUp(options: {
  seed: number;
  store: string;
  seconds: number;
  rounds: readonly RoundReport[];
  skipped: DrillReport['skipped'];
  failures: readonly Failure[];
  interrupted: boolean;
}): DrillReport {
  const { seed, store, seconds, rounds, skipped, failures, interrupted } = options;
  const sum = (value: (round: RoundReport) => number) =>
    rounds.reduce((total, round) => total + value(round), 0);
  const most = (value: (round: RoundReport) => number | null) =>
    rounds.reduce<number | null>((top, round) => {
      const found = value(round);
      return found === null ? top : Math.max(top ?? 0, found);
    }, null);
  const names = [...new Set(rounds.map(({ fault }) => fault))].sort();
  return {
    schema: 'bbx.drill/1',
    verdict: failures.length > 0 ? 'failed' : interrupted ? 'interrupted' : 'ok',
    seed,
    store,
    rounds: rounds.length,
    seconds: Math.round(seconds * 10) / 10,
    builds: sum(({ asked }) => asked),
    attempts: sum(({ attempts }) => attempts),
    bytes: sum(({ bytes }) => bytes),
    buildsLost: sum(({ buildsLost }) => buildsLost),
    bytesLost: sum(({ bytesLost }) => bytesLost),
    bytesDoubled: sum(({ bytesDoubled }) => bytesDoubled),
    masterBytes: most(({ masterBytes }) => masterBytes),
    masterHandles: most(({ masterHandles }) => masterHandles),
    faults: names.map((name) => {
      const own = rounds.filter(({ fault }) => fault === name);
      return {
        name,
        rounds: own.length,
        failed: own.filter(({ wrong }) => wrong.length > 0).length,
        noticeSeconds: spread(own.map(({ noticeSeconds }) => noticeSeconds)),
        recoverSeconds: spread(own.map(({ recoverSeconds }) => recoverSeconds)),
      };
    }),
    skipped,
    failures: [...failures],
  };
}

/** Null when there is no number at all. */
export function spread(values: readonly (number | null)[]): Spread | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return null;
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 === 1
      ? sorted[Math.floor(middle)]!
      : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  return { min, median: Math.round(median * 1_000) / 1_000, max };
}
