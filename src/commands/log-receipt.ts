import { printBytes } from '../base/bytes.ts';
import type { LogBreak, LogHole } from '../api/log-pieces.ts';
import type { LogObject } from '../api/objects.ts';
import type { Receipt } from '../build/receipt.ts';
import { printable } from './terminal/printable.ts';
import { countWords } from './words.ts';

/** What is known of a log's end, for people: how it was compared with its worker's word when it was stored. */
const COMPARED: Readonly<Record<Receipt, string>> = {
  verified: 'verified when stored',
  unhashed: 'its worker was started anew and knew only its size',
  unsaid: 'its worker was lost before it had said the end: this is all that arrived',
  holes: 'bytes of it are lost, so it could not be compared with its worker’s hash',
  mismatch: 'NOT what its worker had counted',
};

/** Digits of a hash that are shown where a person compares by eye. */
const SHOWN_DIGITS = 16;

/** `12,408 lines, 1.2 MB, sha256 3f9a…, verified when stored`; undefined while the log grows. */
export function receiptWords(log: LogObject, options: { whole?: boolean } = {}): string | undefined {
  if (!log.complete) return undefined;
  const hash = options.whole === true ? log.sha256 : log.sha256?.slice(0, SHOWN_DIGITS);
  return [
    ...(log.lines === null ? [] : [countWords(log.lines, 'line')]),
    printBytes(log.bytes),
    ...(hash === null || hash === undefined ? [] : [`sha256 ${hash}${options.whole === true ? '' : '…'}`]),
    log.receipt === null ? 'stored by an older bbx' : COMPARED[log.receipt],
    ...(log.cut > 0 ? [cutWords(log.cut)] : []),
  ].join(', ');
}

/** What a limit on the log's size has left out. */
export function cutWords(cut: number): string {
  return `cut by limit: ${countWords(cut, 'byte')} of the output left out`;
}

/** What a list says beside a log's size: that it is not all that the command wrote, or not what it should be. */
export function shortWords({ receipt }: LogObject): string | undefined {
  if (receipt === 'unsaid') return 'breaks off';
  if (receipt === 'holes') return 'with holes';
  return receipt === 'mismatch' ? 'not what was counted' : undefined;
}

/** A hole, drawn as one; or where a log breaks off. */
export function missingWords(piece: LogHole | LogBreak): string {
  if (piece.lost !== null) return holeWords(piece.lost);
  return `-- the log breaks off here: ${printable(piece.why).replaceAll(/\s+/g, ' ')}; how much is missing is not known --`;
}

function holeWords(lost: number): string {
  return `-- ${countWords(lost, 'byte')} missing here (damaged on the master's disk) --`;
}
