import { errnoOf } from '../../base/error.ts';
import { codes } from '../codes.ts';
import { fileError } from './error.ts';
import { readFinished } from './finished.ts';
import type { Handles } from './handles.ts';
import type { LogPiece } from './piece.ts';
import type { Range } from './recover.ts';
import { readRunning } from './running.ts';
import type { Entry, Shelf, State } from './shelf.ts';

/** A log is finished once, so its file changes its name once under a reader at most; the third look finds the same as the second. */
const TRIES = 3;

/** Reads logs, running and finished ones, and goes on when the one becomes the other. */
export function createReader(deps: {
  handles: Handles;
  shelf: Shelf;
  onDamage: (entry: Entry, range: Range) => void;
}) {
  const { handles, shelf } = deps;

  async function* source(
    entry: Entry,
    state: Exclude<State, { kind: 'absent' }>,
    range: Range,
  ): AsyncGenerator<LogPiece, void, undefined> {
    const running = state.kind === 'running';
    const held = await handles.hold(
      running ? entry.place.running : entry.place.finished,
      running ? 'r+' : 'r',
    );
    const onDamage = (damaged: Range) => deps.onDamage(entry, damaged);
    try {
      if (running) yield* readRunning(held.handle, state.running, range, onDamage);
      else yield* readFinished(held.handle, state.table, range, onDamage);
    } finally {
      await held.release();
    }
  }

  return {
    /**
     * The pieces of a range that lies within the log; where a failed flush cuts the log meanwhile, up to its new end at least. Errors:
     * BBX-STO-LOG-GONE when its file went away, and those of `fileError`.
     */
    async *pieces(entry: Entry, range: Range): AsyncGenerator<LogPiece, void, undefined> {
      let { from, to } = range;
      for (let tries = 0; from < to && tries < TRIES;) {
        const state = await shelf.stateOf(entry);
        if (state.kind === 'absent') break;
        const { running } = state.kind === 'running' ? state : {};
        const cuts = running?.cuts;
        // What was cut off is not there any more; its sender brings it again.
        to = Math.min(to, running?.size ?? to);
        try {
          for await (const piece of source(entry, state, { from, to })) {
            from = piece.offset + piece.bytes.length;
            yield piece;
          }
        } catch (error) {
          if (errnoOf(error) !== 'ENOENT') throw fileError(entry.place.folder, error);
        }
        if (state.kind === 'finished') break;
        if (running?.cuts === cuts) tries += 1;
        else to = Math.min(to, running?.size ?? to);
      }
      if (from < to) throw codes['BBX-STO-LOG-GONE']({ logid: entry.logid });
    },
  };
}
