import { join } from 'node:path';
import { buildById } from '../../../src/store/build-rows.ts';
import { requestById } from '../../../src/store/buildrequests.ts';
import { checkStore } from '../../../src/store/check.ts';
import { eventsAfter } from '../../../src/store/events.ts';
import { openLogFiles } from '../../../src/store/log-files.ts';
import { logsOfBuild, logWithContent } from '../../../src/store/logs.ts';
import { readSmallLog } from '../../../src/store/small-log.ts';
import { openStore } from '../../../src/store/store.ts';
import type { PowerSession } from './session.ts';

/** Holds what a power loss has left against what had been told before it; gives what is missing or damaged. */
export async function verifyCut(dir: string, session: PowerSession, time: number): Promise<string[]> {
  const wrong: string[] = [];
  const told = session.told.filter(({ at }) => at <= time);
  // Before anything was told there need not be a store yet.
  await using store = await openStore('sqlite:state.sqlite', { dir });
  await using files = await openLogFiles(join(dir, 'logs'));
  const events = new Set(
    (await store.read((db) => eventsAfter(db, 0, 1_000_000))).map(({ eventid }) => eventid),
  );
  const sequences = new Map<number, number>();
  const bytes = new Map<number, number>();
  for (const one of told) {
    if (one.kind === 'event' && !events.has(one.id)) wrong.push(`event ${one.id} was delivered and is gone`);
    if (one.kind === 'request' && (await store.read((db) => requestById(db, one.id))) === undefined)
      wrong.push(`request r${one.id} was answered and is gone`);
    if (one.kind === 'events')
      sequences.set(one.build, Math.max(sequences.get(one.build) ?? 0, one.sequence));
    if (one.kind === 'bytes') bytes.set(one.build, Math.max(bytes.get(one.build) ?? 0, one.bytes));
  }
  for (const [build, sequence] of sequences) {
    const row = await store.read((db) => buildById(db, build));
    if (row === undefined) wrong.push(`build ${build} was acknowledged and is gone`);
    else if (row.sequence < sequence)
      wrong.push(`build ${build} has ${row.sequence} of ${sequence} acknowledged events`);
    else if (sequence === 4 && row.complete_at === null) wrong.push(`the end of build ${build} is gone`);
  }
  for (const build of new Set([...bytes.keys(), ...sequences.keys()])) {
    const [log] = await store.read((db) => logsOfBuild(db, build));
    const acknowledged = bytes.get(build) ?? 0;
    if (log === undefined) {
      if (acknowledged > 0)
        wrong.push(`build ${build}: its log with ${acknowledged} acknowledged bytes is gone`);
      continue;
    }
    const least = Math.max(acknowledged, log.complete ? log.bytes : 0);
    const content = (await store.read((db) => logWithContent(db, log.logid)))?.content ?? undefined;
    const range = { from: 0, to: Infinity };
    const pieces =
      content === undefined
        ? await Array.fromAsync(files.read(log.logid))
        : [...readSmallLog(content, log.bytes, range)];
    const size = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
    if (size < least) wrong.push(`build ${build}: ${size} of ${least} acknowledged bytes of its log`);
    for (const piece of pieces) {
      const same = session.text.subarray(piece.offset, piece.offset + piece.bytes.length).equals(piece.bytes);
      if (piece.damaged !== undefined || !same)
        wrong.push(`build ${build}: other bytes at ${piece.offset} of its log`);
    }
  }
  for await (const finding of checkStore(store, join(dir, 'logs')))
    if (finding.status === 'error') wrong.push(`db check: ${JSON.stringify(finding)}`);
  return wrong;
}
