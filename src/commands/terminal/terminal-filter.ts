const ESC = 0x1b;
const BACKSPACE = 0x08;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
/** Longest colour sequence let through; the longest real ones (24-bit colours, both grounds) have about 40 bytes. */
const MAX_SEQUENCE = 64;

type State = 'text' | 'escape' | 'csi' | 'string' | 'stringEscape';

/**
 * Lets a log's text and colours (SGR) through to a terminal and drops every other control sequence (ECMA-48): a log is written by strangers,
 * and titles, clipboards, cursor moves and answers of the terminal are not theirs. Sequences may be split anywhere. Bytes over 0x7f pass.
 */
export function createTerminalFilter(): { push(bytes: Uint8Array): Uint8Array } {
  let state: State = 'text';
  let sequence: number[] = [];

  const step = (byte: number, out: number[]) => {
    switch (state) {
      case 'text':
        if (byte === ESC) state = 'escape';
        else if (byte >= 0x20 && byte !== 0x7f) out.push(byte);
        else if (byte === TAB || byte === LINE_FEED || byte === RETURN || byte === BACKSPACE) out.push(byte);
        break;
      case 'escape':
        if (byte === 0x5b) {
          state = 'csi';
          sequence = [];
        } else if ([0x5d, 0x50, 0x5e, 0x5f, 0x58].includes(byte)) state = 'string';
        else if (byte === ESC) state = 'escape';
        // An intermediate byte is followed by more of the sequence.
        else if (byte < 0x20 || byte > 0x2f) state = 'text';
        break;
      case 'csi':
        if (byte >= 0x40 && byte <= 0x7e) {
          if (byte === 0x6d && sequence.length <= MAX_SEQUENCE) out.push(ESC, 0x5b, ...sequence, byte);
          state = 'text';
        } else if (byte === ESC) state = 'escape';
        else if (byte < 0x20 || byte > 0x3f) {
          // Not a sequence after all: a line end in it ends it too.
          state = 'text';
          if (byte === LINE_FEED) out.push(byte);
        } else if (sequence.length <= MAX_SEQUENCE) sequence.push(byte);
        break;
      case 'string':
        if (byte === 0x07 || byte === LINE_FEED) state = 'text';
        if (byte === LINE_FEED) out.push(byte);
        if (byte === ESC) state = 'stringEscape';
        break;
      case 'stringEscape':
        state = byte === 0x5c ? 'text' : byte === ESC ? 'stringEscape' : 'string';
        break;
    }
  };

  return {
    push(bytes) {
      const out: number[] = [];
      for (const byte of bytes) step(byte, out);
      return Uint8Array.from(out);
    },
  };
}
