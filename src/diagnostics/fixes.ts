import type { Finding, Fix } from '../api/doctor.ts';

/**
 * A change of one file that `--fix` may make: of bbx's own files, or of those named on the command line, and of nothing that is not as
 * it was when the doctor read it.
 */
export type FileChange = EditChange | ModeChange;

/** Pieces of a file's text. All else in it stays byte for byte. */
export interface EditChange {
  /** Absolute path. */
  readonly file: string;
  /** As people would type it. */
  readonly shown: string;
  readonly edits: readonly TextEdit[];
  /** Bytes of the file that a patch shows as `*`, such as passwords on the lines of an edit; what is edited itself is shown. */
  readonly covered?: readonly { readonly from: number; readonly to: number }[];
}

/** A file that others may read and should not. */
export interface ModeChange {
  readonly file: string;
  readonly shown: string;
  /** Permission bits that it shall have. */
  readonly mode: number;
}

export interface TextEdit {
  /** Offset in bytes from the start of the file (see `byteOffset`), or line and column in characters, both from 1. */
  readonly at: number | { readonly line: number; readonly column: number };
  /** What stands there now, and what takes its place; UTF-8. */
  readonly was: string;
  readonly becomes: string;
}

/** A fix as a rule drafts it. With a `change` it is safe for `--fix`; the report says so and shows the change as a patch. */
export interface DraftFix extends Fix {
  readonly change?: FileChange;
}

/** A change that a report proposes, and the finding that it would end. */
export interface Proposal {
  readonly finding: Finding;
  readonly fix: Fix;
  readonly change: FileChange;
}

/** The offset in bytes of a place in a UTF-8 text that was read with its byte order mark, if any, left in. */
export function byteOffset(text: string, index: number): number {
  return Buffer.byteLength(text.slice(0, index));
}
