import type { EditChange, FileChange, ModeChange, TextEdit } from './fixes.ts';

/** Bytes of a file and what takes their place. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly becomes: Buffer;
}

const NEWLINE = 0x0a;

/**
 * The file's bytes with the edits made; all else stays as it is. Undefined when the file is no longer what the edits were drafted for, or when
 * two of them touch the same place. Pure.
 */
export function edited(bytes: Buffer, edits: readonly TextEdit[]): Buffer | undefined {
  const spans = spansOf(bytes, edits);
  return spans === undefined ? undefined : replaced(bytes, spans, 0, bytes.length);
}

/** A change as a unified diff without lines around it, since those may hold what is nobody's business. Undefined as for `edited`. */
export function patchOf(change: EditChange, bytes: Buffer): string | undefined {
  const spans = spansOf(bytes, change.edits);
  if (spans === undefined) return undefined;
  const shown = withCovers(bytes, change, spans);
  let added = 0;
  const hunks = wholeLines(bytes, spans).map(({ from, to, spans: own }) => {
    const before = linesOf(shown.subarray(from, to));
    const after = linesOf(replaced(shown, own, from, to));
    const line = 1 + linesOf(bytes.subarray(0, from)).length;
    const head = `@@ -${line},${before.length} +${line + added},${after.length} @@`;
    added += after.length - before.length;
    return [head, ...before.map((text) => `-${text}`), ...after.map((text) => `+${text}`)].join('\n');
  });
  return [`--- ${change.shown}`, `+++ ${change.shown}`, ...hunks].join('\n');
}

/** The bytes as they may be shown: of the same length, so that the spans stay where they are. */
function withCovers(bytes: Buffer, { covered = [] }: EditChange, spans: readonly Span[]): Buffer {
  const shown = Buffer.from(bytes);
  for (const { from, to } of covered)
    if (!spans.some((span) => from < span.to && span.from < to)) shown.fill('*', from, to);
  return shown;
}

/** The two modes, as git writes them. */
export function modePatch(change: ModeChange, mode: number): string {
  const octal = (bits: number) => `100${(bits & 0o777).toString(8).padStart(3, '0')}`;
  return [
    `--- ${change.shown}`,
    `+++ ${change.shown}`,
    `old mode ${octal(mode)}`,
    `new mode ${octal(change.mode)}`,
  ].join('\n');
}

/** Whether a change is one of a file's text. */
export function isEdit(change: FileChange): change is EditChange {
  return 'edits' in change;
}

function spansOf(bytes: Buffer, edits: readonly TextEdit[]): Span[] | undefined {
  const spans: Span[] = [];
  for (const { at: place, was, becomes } of edits) {
    const at = typeof place === 'number' ? place : offsetOf(bytes, place);
    const old = Buffer.from(was);
    if (at < 0 || !bytes.subarray(at, at + old.length).equals(old)) return undefined;
    const span = { from: at, to: at + old.length, becomes: Buffer.from(becomes) };
    const same = spans.find((other) => other.from === span.from && other.to === span.to);
    // Two findings may have the same remedy.
    if (same?.becomes.equals(span.becomes) === true) continue;
    if (spans.some((other) => span.from < other.to && other.from < span.to) || same !== undefined)
      return undefined;
    spans.push(span);
  }
  return spans.sort((a, b) => a.from - b.from);
}

/** Where a line and column stand; -1 where there is no such line. */
function offsetOf(bytes: Buffer, { line, column }: { line: number; column: number }): number {
  let start = 0;
  for (let number = 1; number < line; number += 1) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1) return -1;
    start = end + 1;
  }
  const end = bytes.indexOf(NEWLINE, start);
  const text = bytes.subarray(start, end === -1 ? bytes.length : end).toString('utf8');
  return start + Buffer.byteLength(text.slice(0, column - 1));
}

function replaced(bytes: Buffer, spans: readonly Span[], from: number, to: number): Buffer {
  const parts: Buffer[] = [];
  let at = from;
  for (const span of spans) {
    parts.push(bytes.subarray(at, span.from), span.becomes);
    at = span.to;
  }
  return Buffer.concat([...parts, bytes.subarray(at, to)]);
}

/** Spans by the whole lines that they stand in, those that share a line together. */
function wholeLines(bytes: Buffer, spans: readonly Span[]) {
  const groups: { from: number; to: number; spans: Span[] }[] = [];
  for (const span of spans) {
    const from = span.from === 0 ? 0 : bytes.lastIndexOf(NEWLINE, span.from - 1) + 1;
    const end = bytes.indexOf(NEWLINE, Math.max(span.from, span.to - 1));
    const to = end === -1 ? bytes.length : end + 1;
    const last = groups.at(-1);
    if (last !== undefined && from < last.to) {
      last.to = Math.max(last.to, to);
      last.spans.push(span);
    } else groups.push({ from, to, spans: [span] });
  }
  return groups;
}

function linesOf(bytes: Buffer): string[] {
  if (bytes.length === 0) return [];
  const lines = bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.replace(/\r$/, ''));
}
