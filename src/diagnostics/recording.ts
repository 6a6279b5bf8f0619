import type { Probes } from './probes.ts';
import { nameOf, type Subject } from './subject.ts';

/** An answer of the world, as a check got it. */
export interface RecordedFact {
  /** Which door gave it: `host`, `name`, `path`, … */
  readonly probe: string;
  /** What was asked about: `ci.example`, `[::]:9989`, `this host`. */
  readonly about: string;
  readonly facts: unknown;
}

/** The same probes, whose answers are kept for a report. */
export function recordProbes(probes: Probes): { probes: Probes; facts(): RecordedFact[] } {
  const kept = new Map<unknown, RecordedFact>();
  const record = (probe: string, ask: (...words: unknown[]) => Promise<unknown>) => {
    return async (...words: unknown[]) => {
      const facts = await ask(...words);
      // Each thing is asked once, and answered with one object, however many checks want it.
      if (typeof facts === 'object' && facts !== null && !kept.has(facts))
        kept.set(facts, { probe, about: aboutOf(words[0]), facts });
      return facts;
    };
  };
  const entries = Object.entries(probes).filter(([, ask]) => typeof ask === 'function');
  return {
    probes: Object.fromEntries(
      entries.map(([probe, ask]) => [probe, record(probe, ask as Parameters<typeof record>[1])]),
    ) as unknown as Probes,
    facts: () => [...kept.values()],
  };
}

function aboutOf(word: unknown): string {
  if (word === undefined) return 'this host';
  if (typeof word === 'string') return word;
  if (Array.isArray(word)) return word.every((one) => typeof one === 'string') ? word.join(' ') : 'this host';
  return nameOf(word as Subject);
}
