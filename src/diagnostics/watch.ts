import type { Finding } from '../api/doctor.ts';
import { catalogue } from './catalogue.ts';
import type { Examined } from './examine.ts';

/** A finding counts as there, or as gone, after so many rounds or so long, so that what flaps is told once. */
const ROUNDS = 2;
const STEADY_MS = 10_000;
/** Of the checks that are well, so many are asked again in each round. */
const ROTATION = 12;

/** What has become different. */
export interface Transition {
  readonly type: 'appeared' | 'changed' | 'cleared';
  readonly finding: Finding;
}

interface Tracked {
  finding: Finding;
  /** Told to whoever watches. */
  visible: boolean;
  /** What was told last. */
  told: Finding['status'] | undefined;
  /** Rounds, and the time, since it last came or went. */
  rounds: number;
  since: number;
  present: boolean;
}

/** What is watched from round to round: which checks are due, and what is to be told. */
export interface Watch {
  /** Ids of the checks that the next round asks; undefined: all. */
  due(): readonly string[] | undefined;
  /** Takes a round's report; `asked` as `due` gave it. `now`: monotonic milliseconds. */
  take(examined: Examined, asked: readonly string[] | undefined, now: number): Transition[];
  /** What is there by now, as it was told. */
  state(): Finding[];
}

/** Starts a watch over the checks of a call. Pure: whoever calls looks and waits. */
export function createWatch(ids: readonly string[]): Watch {
  const tracked = new Map<string, Tracked>();
  let turn = 0;
  let first = true;

  const settled = (one: Tracked, now: number) => one.rounds >= ROUNDS || now - one.since >= STEADY_MS;
  const keyOf = ({ id, target }: Finding) => `${id} ${target}`;

  return {
    due() {
      if (first) return undefined;
      const restless = [...tracked.values()]
        .filter((one) => one.present || one.visible)
        .map(({ finding: { id } }) => id);
      const well = ids.filter((id) => !restless.includes(id));
      const slice =
        well.length === 0
          ? []
          : Array.from(
              { length: Math.min(ROTATION, well.length) },
              (_, index) => well[(turn + index) % well.length] ?? '',
            );
      turn += ROTATION;
      return withRelatives([...restless, ...slice]).filter((id) => ids.includes(id));
    },
    take({ report }, asked, now) {
      const grave = report.findings.filter(({ status }) => status !== 'info');
      // A finding of a check that was not asked stays as it was.
      const concerns = (id: string) => asked === undefined || asked.includes(id);
      for (const finding of grave) {
        const key = keyOf(finding);
        const known = tracked.get(key);
        if (known === undefined)
          tracked.set(key, {
            finding,
            visible: first,
            told: first ? finding.status : undefined,
            rounds: 1,
            since: now,
            present: true,
          });
        else if (known.present) Object.assign(known, { finding, rounds: known.rounds + 1 });
        else Object.assign(known, { finding, rounds: 1, since: now, present: true });
      }
      const here = new Set(grave.map(keyOf));
      const transitions: Transition[] = [];
      for (const [key, one] of tracked) {
        if (!here.has(key) && concerns(one.finding.id)) {
          if (one.present) Object.assign(one, { present: false, rounds: 1, since: now });
          else one.rounds += 1;
        }
        if (!settled(one, now) && !first) continue;
        if (one.present && !one.visible) {
          Object.assign(one, { visible: true, told: one.finding.status });
          transitions.push({ type: 'appeared', finding: one.finding });
        } else if (one.present && one.told !== one.finding.status) {
          one.told = one.finding.status;
          transitions.push({ type: 'changed', finding: one.finding });
        } else if (!one.present) {
          tracked.delete(key);
          if (one.visible) transitions.push({ type: 'cleared', finding: one.finding });
        }
      }
      first = false;
      return transitions;
    },
    state: () => [...tracked.values()].filter(({ visible }) => visible).map(({ finding }) => finding),
  };
}

/** The checks, and those that could explain their trouble: without these an effect would look like a root. */
function withRelatives(ids: readonly string[]): string[] {
  const all = new Set(ids);
  for (const id of all) {
    const check = catalogue.find((one) => one.id === id);
    for (const relative of [...(check?.needs ?? []), ...(check?.causes ?? [])]) all.add(relative);
  }
  return [...all];
}
