import { isIP } from 'node:net';
import type { Evidence } from '../../../api/doctor.ts';
import { readDialled, readListener, type EndpointReading } from '../../../config/stock/endpoint-reading.ts';
import { pythonLiteral } from '../../../config/stock/python-literal.ts';
import type { Setting, Written } from '../../../config/stock/written.ts';
import { evidence, harmless } from '../../evidence.ts';
import type { StockFile } from '../../facts/stock.ts';
import type { DraftFix, EditChange } from '../../fixes.ts';
import type { StockEndpointSubject } from '../../stock-subject.ts';

export const topics = ['config', 'ipv6'] as const;

/** What Buildbot makes of an endpoint's text; undefined where the text is not known, or is none. */
export function readEndpoint(subject: StockEndpointSubject): EndpointReading | undefined {
  const { written, way } = subject;
  if (written === undefined) return undefined;
  const { value } = written;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  return way === 'client' ? readDialled(String(value), written.odd) : readListener(value, way, written.odd);
}

/** The value with its line and marks under it, as the file has them. */
export function writtenEvidence(file: StockFile, written: Written, at: string): Evidence {
  const { line, column, value } = written;
  return {
    ...evidence('file', `${file.shown}:${line}:${column}`, `it says ${JSON.stringify(value)}`, at),
    lines: written.excerpt.map(harmless),
  };
}

/** What to write there; where it is one literal of a file that was named, `--fix` can do it. */
export function rewrite(
  file: StockFile,
  written: Written,
  right: string | number | null,
  why = '',
): DraftFix {
  const literal = typeof right === 'string' ? pythonLiteral(right) : right === null ? 'None' : String(right);
  const text = `Write ${literal} in line ${written.line}${why === '' ? '' : ` ${why}`}`;
  if (!file.named || written.literal === null) return { text };
  const { at, was } = written.literal;
  return { text, change: { ...changeOf(file), edits: [{ at, was, becomes: literal }] } };
}

/** A change of a file to which the edits are still to be added. */
export function changeOf({ file, shown, covered }: StockFile): Omit<EditChange, 'edits'> {
  return { file, shown, covered };
}

/** The one value of a setting with its place, where it is a text that is sure. */
export function sureText(setting: Setting): (Written & { value: string }) | undefined {
  const [written] = setting.written;
  if (!setting.sure || written === undefined || typeof written.value !== 'string') return undefined;
  return { ...written, value: written.value };
}

export function now(): string {
  return new Date().toISOString();
}

/** The name of a URL, unless it means this host or is an address. */
export function urlHost(url: unknown): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  const { hostname } = new URL(url);
  const bare = hostname.replace(/^\[|\]$/g, '');
  return bare === '' || isIP(bare) !== 0 || /^localhost$/i.test(bare) ? undefined : bare;
}
