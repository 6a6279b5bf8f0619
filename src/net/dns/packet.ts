import { printIpv6 } from '../endpoint/host.ts';
import { readName, writeName } from './name.ts';

/** Of the record types of RFC 1035 and RFC 3596, those that a diagnosis of reachability needs. */
export const TYPES = { A: 1, CNAME: 5, SOA: 6, PTR: 12, AAAA: 28 } as const;
export type RecordType = keyof typeof TYPES;

/** RFC 1035 section 4.1.1 and RFC 2136; other numbers are printed as they are. */
const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

const CLASS_IN = 1;
const FLAG_RESPONSE = 0x8000;
const FLAG_TRUNCATED = 0x0200;
const FLAG_RECURSION_DESIRED = 0x0100;
const HEADER_BYTES = 12;
const OPT = 41;
/** Fits the smallest MTU of IPv6 without fragments; what resolvers agreed on in 2020. */
const EDNS_BYTES = 1232;
/** More records than any honest answer to one question about one name. */
const RECORDS = 256;

export interface DnsRecord {
  name: string;
  type: RecordType;
  ttlSeconds: number;
  /** The address in its usual form, or the name that is pointed at; of a SOA the zone's primary server. */
  value: string;
}

export interface DnsResponse {
  id: number;
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED` …, or `RCODE11`. */
  rcode: string;
  truncated: boolean;
  question: { name: string; type: number } | undefined;
  answers: DnsRecord[];
  /** SOA of the zone, where the answer is negative. */
  authorities: DnsRecord[];
}

/** A question with recursion desired and EDNS(0) (RFC 6891). Throws RangeError for a name that cannot be asked. */
export function encodeQuery(id: number, name: string, type: RecordType): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(FLAG_RECURSION_DESIRED, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 10);
  const question = Buffer.alloc(4);
  question.writeUInt16BE(TYPES[type], 0);
  question.writeUInt16BE(CLASS_IN, 2);
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(OPT, 1);
  opt.writeUInt16BE(EDNS_BYTES, 3);
  return Buffer.concat([header, writeName(name), question, opt]);
}

/** Reads an answer. Throws RangeError, and nothing else, for bytes that are none; whose answer it is, the caller checks. */
export function decodeResponse(bytes: Buffer): DnsResponse {
  if (bytes.length < HEADER_BYTES) throw new RangeError('shorter than a header');
  const flags = bytes.readUInt16BE(2);
  if ((flags & FLAG_RESPONSE) === 0) throw new RangeError('not an answer');
  const counts = [4, 6, 8].map((at) => bytes.readUInt16BE(at));
  const [questions = 0, answerCount = 0, authorityCount = 0] = counts;
  if (questions > 1) throw new RangeError('more than one question');
  if (answerCount + authorityCount > RECORDS) throw new RangeError('too many records');
  const cursor = { at: HEADER_BYTES };
  const question = questions === 1 ? readQuestion(bytes, cursor) : undefined;
  const truncated = (flags & FLAG_TRUNCATED) !== 0;
  const code = flags & 0x0f;
  const response: DnsResponse = {
    id: bytes.readUInt16BE(0),
    rcode: RCODES[code] ?? `RCODE${code}`,
    truncated,
    question,
    answers: [],
    authorities: [],
  };
  // A truncated answer is asked again over TCP, and its records need not be whole.
  if (truncated) return response;
  response.answers = readRecords(bytes, cursor, answerCount);
  response.authorities = readRecords(bytes, cursor, authorityCount);
  return response;
}

interface Cursor {
  at: number;
}

function take(bytes: Buffer, cursor: Cursor, length: number): Buffer {
  const end = cursor.at + length;
  if (end > bytes.length) throw new RangeError('cut short');
  const part = bytes.subarray(cursor.at, end);
  cursor.at = end;
  return part;
}

function takeName(bytes: Buffer, cursor: Cursor): string {
  const { name, next } = readName(bytes, cursor.at);
  cursor.at = next;
  return name;
}

function readQuestion(bytes: Buffer, cursor: Cursor): { name: string; type: number } {
  const name = takeName(bytes, cursor);
  const rest = take(bytes, cursor, 4);
  if (rest.readUInt16BE(2) !== CLASS_IN) throw new RangeError('another class');
  return { name, type: rest.readUInt16BE(0) };
}

function readRecords(bytes: Buffer, cursor: Cursor, count: number): DnsRecord[] {
  const records: DnsRecord[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = takeName(bytes, cursor);
    const fixed = take(bytes, cursor, 10);
    const number = fixed.readUInt16BE(0);
    const length = fixed.readUInt16BE(8);
    const start = cursor.at;
    const data = take(bytes, cursor, length);
    const type = (Object.keys(TYPES) as RecordType[]).find((key) => TYPES[key] === number);
    if (type === undefined || fixed.readUInt16BE(2) !== CLASS_IN) continue;
    const value = readValue(type, bytes, start, data);
    // RFC 2181 section 8: a time to live with the highest bit set counts as zero.
    const ttl = fixed.readUInt32BE(4);
    records.push({ name, type, ttlSeconds: ttl > 0x7fff_ffff ? 0 : ttl, value });
  }
  return records;
}

function readValue(type: RecordType, bytes: Buffer, start: number, data: Buffer): string {
  switch (type) {
    case 'A':
      if (data.length !== 4) throw new RangeError('an A record has four bytes');
      return data.join('.');
    case 'AAAA':
      if (data.length !== 16) throw new RangeError('an AAAA record has sixteen bytes');
      return printSixteen(data);
    case 'CNAME':
    case 'PTR':
    case 'SOA': {
      const { name, next } = readName(bytes, start);
      const whole = type === 'SOA' ? next <= start + data.length : next === start + data.length;
      if (!whole) throw new RangeError('a name that is not as long as its record');
      return name;
    }
  }
}

function printSixteen(data: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => data.readUInt16BE(index * 2).toString(16));
  return printIpv6(groups.join(':'));
}
