import type { Context } from './context.ts';
import { span } from './span.ts';
import { stripVTControlCharacters } from 'node:util';

/** What takes under a second needs no words. */
const SHOW_AFTER_MS = 1_000;
/** Often enough to look alive, seldom enough for a slow line. */
const REDRAW_MS = 200;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const CLEAR_LINE = '\r\u001b[K';

/** One line at the bottom of a terminal that says what is waited for; nothing at all elsewhere. */
export interface Progress extends Disposable {
  /** Says what is waited for now; `undefined`: nothing. */
  wait(what: string | undefined): void;
  /** How far that has come: other words for the same wait. */
  now(what: string): void;
  /** Writes a line that stays, above the moving one. For people: nothing with `--json`. */
  line(text: string): void;
  stop(): void;
}

/** The moving line of a terminal; without one it does nothing. */
export function createProgress(context: Context): Progress {
  const { stderr, json } = context;
  const moving = stderr.isTTY && !json && context.env['TERM'] !== 'dumb';
  let what: string | undefined;
  let since = 0;
  let drawn = false;
  let frame = 0;

  const clear = () => {
    if (drawn) stderr.write(CLEAR_LINE);
    drawn = false;
  };
  const draw = () => {
    const waited = performance.now() - since;
    if (what === undefined || waited < SHOW_AFTER_MS) return;
    frame = (frame + 1) % FRAMES.length;
    const text = stripVTControlCharacters(`${FRAMES[frame]} ${what} (${span(waited / 1000)})`);
    stderr.write(`${CLEAR_LINE}${text.slice(0, Math.max(10, (stderr.columns || 80) - 1))}`);
    drawn = true;
  };
  const timer = moving ? setInterval(draw, REDRAW_MS) : undefined;
  timer?.unref();
  const stop = () => {
    clearInterval(timer);
    clear();
  };

  return {
    wait(next) {
      if (next === what) return;
      what = next;
      since = performance.now();
      clear();
    },
    now(next) {
      if (what === undefined) since = performance.now();
      what = next;
    },
    line(text) {
      clear();
      if (!json) stderr.write(`${text}\n`);
    },
    stop,
    [Symbol.dispose]: stop,
  };
}
