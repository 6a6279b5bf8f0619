import { defineCheck, found, nothing, skip, type Judgement } from '../../check.ts';
import { evidence } from '../../evidence.ts';
import type { StoreFacts } from '../../facts/store.ts';

/** A question that opens the store takes some ms; with this a master that asks for each build is slow. */
const SLOW_MS = 1_000;

export const sto01 = defineCheck<'program', StoreFacts | undefined>({
  id: 'STO-01',
  title: 'the store answers, and soon',
  about: 'program',
  topics: [],
  needs: [],
  gather: (context, program) => context.probes.store(program),
  judge: judgeStore,
});

function judgeStore(facts: StoreFacts | undefined): Judgement {
  if (facts === undefined) return skip('there is no store to ask');
  const { at, store, ms, error } = facts;
  if (error?.code === 'BBX-STO-MISSING') return skip('the first start of the master makes it');
  // A master of an older bbx, or a farm that was never upgraded, is no trouble of the store's.
  if (error?.code === 'BBX-STO-OLDER-SCHEMA') return nothing;
  if (error !== null) {
    return found({
      status: 'error',
      title: error.message,
      target: store,
      evidence: [evidence('cmd', `open ${store}`, `${error.code} after ${ms} ms`, at)],
      fix: [{ text: error.hint ?? 'Look at the database, at its disk, and at the way to it' }],
    });
  }
  if (ms < SLOW_MS) return nothing;
  return found({
    status: 'warn',
    title: `The store answers slowly: ${(ms / 1000).toFixed(1)} s to open and read`,
    target: store,
    confidence: 'likely',
    evidence: [evidence('cmd', `open ${store} and read`, `${ms} ms`, at)],
    fix: [{ text: 'Look at the load of its machine, at its disk, and at the way to it' }],
  });
}
