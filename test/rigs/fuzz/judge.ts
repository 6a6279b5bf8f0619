import { leaseKey, logKey, type Lease } from '../../../src/protocol/bbx/lease.ts';
import type { MasterSession, MasterSessionHandlers } from '../../../src/protocol/bbx/master-contract.ts';
import type { SessionEnd } from '../../../src/protocol/bbx/line.ts';
import { CLOSE } from '../../../src/protocol/bbx/wire.ts';
import type { FuzzContext } from './case.ts';

/** A handler of ours has thrown: whatever a peer says, that must not be. */
export function lookForFault({ code, by, error }: SessionEnd, wrong: FuzzContext['wrong']): void {
  if (code !== CLOSE.fault || by !== 'here') return;
  const { cause } = error ?? {};
  wrong(`a fault: ${cause instanceof Error ? String(cause.stack) : String(cause)}`);
}

/**
 * What a master does with a session, which says when the session breaks its word: events and bytes once, in order, without a hole, of leases
 * that are the session's, and a step's end only after its bytes.
 */
export function judgingHandlers(
  { random, wrong, after }: FuzzContext,
  session: MasterSession,
  leases: readonly Lease[],
): MasterSessionHandlers {
  const works = new Map<
    string,
    { sequence: number; over: boolean; logs: Map<string, number>; rested: Set<string> }
  >();
  const acknowledge = (lease: Lease) => {
    const work = works.get(leaseKey(lease));
    if (work === undefined || random() < 0.5) return;
    const logs = [...work.logs].map(([key, bytes]) => {
      const at = key.indexOf('/');
      return { step: Number(key.slice(0, at)), log: key.slice(at + 1), bytes };
    });
    session.acknowledge(lease, { sequence: work.sequence, logs });
  };
  let closed = false;
  let histories = 0;
  after(() => {
    if (!closed) wrong('a session that was let in is never over');
  });
  const own = (lease: Lease, what: string) => {
    if (closed) wrong(`${what} after the end`);
    const work = works.get(leaseKey(lease));
    if (work === undefined) wrong(`${what} of a lease that is not the session's: ${leaseKey(lease)}`);
    return work;
  };
  return {
    onInventory() {
      for (const lease of leases) {
        works.set(leaseKey(lease), { sequence: 0, over: false, logs: new Map(), rested: new Set() });
        session.resume(lease, { sequence: 0, logs: [] });
      }
      // Some time for the store: what comes meanwhile waits.
      return random() < 0.2 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
    },
    onAssigned: (answer) => {
      if (!answer.accepted) works.delete(leaseKey(answer));
    },
    onProgress(lease, sequence, event) {
      const work = own(lease, 'an event');
      if (work === undefined) return;
      if (sequence !== work.sequence + 1) wrong(`event ${sequence} after ${work.sequence}`);
      if (work.over) wrong('an event after the last one');
      if (event.type === 'stepFinished') {
        for (const { name, bytes } of event.logs) {
          // One that rested gets its bytes later.
          if (work.rested.has(logKey(event.step, name))) continue;
          const have = work.logs.get(logKey(event.step, name)) ?? 0;
          if (have !== bytes) wrong(`the end of a step whose log has ${bytes} bytes, after ${have}`);
        }
      }
      work.over = event.type === 'buildFinished';
      work.sequence = sequence;
      acknowledge(lease);
    },
    onBytes({ step, log, offset, bytes, ...lease }) {
      const work = own(lease, 'bytes');
      if (work === undefined) return undefined;
      const key = logKey(step, log);
      const have = work.logs.get(key) ?? 0;
      if (offset !== have) wrong(`bytes at ${offset} after ${have}`);
      if (bytes.length === 0) wrong('no bytes');
      if (random() < 0.15 && session.pauseLog(lease, { step, log, from: offset })) {
        work.rested.add(key);
        if (random() < 0.5) session.proceedLog(lease, { step, log });
        else setImmediate(() => session.proceedLog(lease, { step, log }));
        return undefined;
      }
      work.logs.set(key, offset + bytes.length);
      acknowledge(lease);
      return random() < 0.1 ? Promise.resolve() : undefined;
    },
    onState: () => undefined,
    onHistory(records) {
      if (closed) wrong('history after the end');
      histories += 1;
      if (histories < 20) session.historyStored(records.at(-1)?.number ?? 0);
    },
    onDialled: () => {
      if (closed) wrong('an answer after the end');
    },
    onAbandoned: (lease) => void works.delete(leaseKey(lease)),
    onClosed(end) {
      if (closed) wrong('closed twice');
      lookForFault(end, wrong);
      closed = true;
    },
  };
}
