/**
 * How a complete log was compared with what its worker said of it when it was stored.
 *
 * - `verified`: bytes and SHA-256 are those that the worker counted as the command wrote them.
 * - `unhashed`: the worker said the number of bytes alone: it was started anew and had not all of the log any more.
 * - `unsaid`: the worker was lost before it had said the log's end: what is there is all there will be.
 * - `holes`: bytes of it were lost, so the worker's SHA-256 cannot be compared.
 * - `mismatch`: the worker's bytes or SHA-256 are others.
 */
export const RECEIPTS = ['verified', 'unhashed', 'unsaid', 'holes', 'mismatch'] as const;
export type Receipt = (typeof RECEIPTS)[number];

/** What a log's row says of its end. */
export interface LogEnd {
  bytes: number;
  /** Of the bytes as they are stored, hex; null when they cannot be read. */
  sha256: string | null;
  lines: number | null;
  receipt: Receipt;
}
