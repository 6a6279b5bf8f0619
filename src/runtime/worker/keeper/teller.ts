import type { BuildLog } from './build.ts';
import type { Notice } from './messages.ts';

/**
 * Notices of growth wait so long for company: each makes the worker open a file and read. At 80 MB/s that is 800 KB; who follows a log does not see
 * the difference to the 4 ms of before, in which a read was 300 KB.
 */
const GREW_MS = 10;
/** The first bytes of a log wait longer: of a small build the end of its log, which is told at once, comes before that. */
const FIRST_GREW_MS = 50;
const FIRST_BYTES = 4 * 1024;
/** Until a worker that does not read is looked at again. */
const BEHIND_MS = 100;
/** How often the worker hears how full the spool is, at most. */
const SPOOL_SAID_MS = 100;

/** What the worker hears unasked: at once, or, where only the latest counts, together with what comes soon. */
export interface Teller {
  /** A worker is there. `isBehind`: it does not read what it is told. */
  attach(tell: (notice: Notice) => void, isBehind: () => boolean): void;
  detach(): void;
  /** Whether no worker is there. */
  readonly alone: boolean;
  now(notice: Notice): void;
  /** A log has grown. */
  grew(log: BuildLog): void;
  /** Logs that have grown are told without waiting for more. */
  grewNow(): void;
  /** How full the spool is has changed. */
  spool(): void;
  /** Nothing is told of this log any more. */
  forget(log: BuildLog): void;
  stop(): void;
}

/** `readSpool` gives how full the spool is when that is told. */
export function createTeller(readSpool: () => Notice & { type: 'spool' }): Teller {
  const grown = new Set<BuildLog>();
  let tell: ((notice: Notice) => void) | undefined;
  let isBehind: () => boolean = () => false;
  let growing: NodeJS.Timeout | undefined;
  let growingAt = Infinity;
  let saying: NodeJS.Timeout | undefined;

  function spool(): void {
    if (tell === undefined) return;
    saying ??= setTimeout(() => {
      saying = undefined;
      if (isBehind()) return spool();
      tell?.(readSpool());
    }, SPOOL_SAID_MS);
  }
  function grewNow(): void {
    clearTimeout(growing);
    growing = undefined;
    growingAt = Infinity;
    if (tell === undefined || grown.size === 0) return grown.clear();
    // A worker that is stopped, or hangs, gets the whole at once when it reads again.
    if (isBehind()) {
      growing = setTimeout(grewNow, BEHIND_MS);
      growingAt = 0;
      return;
    }
    tell({ type: 'grew', logs: [...grown].map((log) => log.state(false)) });
    grown.clear();
    spool();
  }
  return {
    attach(given, behind) {
      tell = given;
      isBehind = behind;
      grown.clear();
    },
    detach: () => void (tell = undefined),
    get alone() {
      return tell === undefined;
    },
    now: (notice) => tell?.(notice),
    grew(log) {
      grown.add(log);
      const ms = log.log.size <= FIRST_BYTES ? FIRST_GREW_MS : GREW_MS;
      const at = performance.now() + ms;
      // Also while a worker that does not read is waited for: that look comes first.
      if (growing !== undefined && at >= growingAt) return;
      clearTimeout(growing);
      growing = setTimeout(grewNow, ms);
      growingAt = at;
    },
    grewNow,
    spool,
    forget: (log) => void grown.delete(log),
    stop() {
      clearTimeout(growing);
      clearTimeout(saying);
    },
  };
}
