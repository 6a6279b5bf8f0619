import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { within } from '../../base/abort.ts';
import { errnoOf } from '../../base/error.ts';
import { SILENCE } from '../explain.ts';
import type { DnsRecord, DnsResponse, RecordType } from './packet.ts';
import { decodeResponse, encodeQuery, TYPES } from './packet.ts';

/** One try. A nameserver near by answers in milliseconds; a resolver that must ask others usually within this. */
const TRY_MS = 1_000;
/** UDP loses a packet now and then; a third wait would hold every lookup up for nothing. */
const TRIES = 2;
/** The whole answer over TCP, connection included. */
const TCP_MS = 3_000;
const DNS_PORT = 53;

export interface DnsAnswer {
  server: string;
  name: string;
  type: RecordType;
  /** `NOERROR` with an empty `addresses` means that the name has no such record. Undefined when no usable answer came. */
  rcode: string | undefined;
  /** Codes of the error table for answers that help nobody: ENODATA, ENOTFOUND, ESERVFAIL, EREFUSED, EBADRESP, ECONNREFUSED, `silence` …  */
  errno: string | undefined;
  /** Values of the asked type, CNAMEs followed within the answer. */
  values: string[];
  /** Every record of the answer, in its order. */
  records: DnsRecord[];
  over: 'udp' | 'tcp';
  /** The UDP answer was cut, so TCP was asked. */
  truncated: boolean;
  tries: number;
  ms: number;
}

export interface DnsServer {
  /** An address, for link-local ones with zone. */
  address: string;
  port?: number;
}

/**
 * Asks one nameserver one question: UDP, one second, twice, and TCP where the answer was cut. Answers to other questions, with another
 * id or from elsewhere are not ours and are passed over. Never rejects but with the signal's reason.
 */
export async function queryServer(
  server: DnsServer,
  name: string,
  type: RecordType,
  options: { signal?: AbortSignal; tryMs?: number; tries?: number; tcpMs?: number } = {},
): Promise<DnsAnswer> {
  const { signal, tryMs = TRY_MS, tries = TRIES, tcpMs = TCP_MS } = options;
  signal?.throwIfAborted();
  const started = performance.now();
  const base = { server: server.address, name, type };
  const fail = (errno: string, over: 'udp' | 'tcp', tried: number): DnsAnswer => ({
    ...base,
    rcode: undefined,
    errno,
    values: [],
    records: [],
    over,
    truncated: over === 'tcp',
    tries: tried,
    ms: performance.now() - started,
  });
  let query: Buffer;
  const id = randomInt(0x1_0000);
  try {
    query = encodeQuery(id, name, type);
  } catch {
    return fail('EBADNAME', 'udp', 0);
  }
  const wanted = { id, name: name.replace(/\.$/, '').toLowerCase(), type };
  let last = SILENCE;
  for (let tried = 1; tried <= tries; tried += 1) {
    const got = await askUdp(server, query, wanted, tryMs, signal);
    if (typeof got === 'string') {
      last = got;
      continue;
    }
    const done = (response: DnsResponse, over: 'udp' | 'tcp'): DnsAnswer => {
      const values = valuesOf(response, wanted);
      return {
        ...base,
        rcode: response.rcode,
        errno: errnoOfAnswer(response.rcode, values),
        values,
        records: response.answers,
        over,
        truncated: got.truncated,
        tries: tried,
        ms: performance.now() - started,
      };
    };
    if (!got.truncated) return done(got, 'udp');
    const whole = await askTcp(server, query, wanted, tcpMs, signal);
    return typeof whole === 'string' ? fail(whole, 'tcp', tried) : done(whole, 'tcp');
  }
  return fail(last, 'udp', tries);
}

interface Wanted {
  id: number;
  name: string;
  type: RecordType;
}

function isOurs(response: DnsResponse, { id, name, type }: Wanted): boolean {
  if (response.id !== id) return false;
  // A server that refuses may leave the question out (RFC 1035 does not say that it must not).
  if (response.question === undefined) return response.rcode !== 'NOERROR';
  return response.question.name === name && response.question.type === TYPES[type];
}

/** Follows CNAMEs from the asked name; a record of a name that is not on that chain is somebody else's. */
function valuesOf(response: DnsResponse, { name, type }: Wanted): string[] {
  const owners = new Set([name]);
  for (let grown = true; grown;) {
    grown = false;
    for (const record of response.answers) {
      if (record.type !== 'CNAME' || !owners.has(record.name) || owners.has(record.value)) continue;
      owners.add(record.value);
      grown = true;
    }
  }
  return response.answers
    .filter((record) => record.type === type && owners.has(record.name))
    .map((record) => record.value);
}

function errnoOfAnswer(rcode: string, values: readonly string[]): string | undefined {
  switch (rcode) {
    case 'NOERROR':
      return values.length > 0 ? undefined : 'ENODATA';
    case 'NXDOMAIN':
      return 'ENOTFOUND';
    default:
      return `E${rcode}`;
  }
}

/** The answer, or the errno of a try that gave none. */
type Got = DnsResponse | string;

interface Try {
  close(): void;
  /** What a try came to that ran out of time. */
  late: () => string;
}

/** One try with a limit: what `start` settles first counts, and its socket is closed however it ends. */
async function tryOnce(
  limitMs: number,
  signal: AbortSignal | undefined,
  start: (settle: (got: Got) => void, isOver: () => boolean) => Try,
): Promise<Got> {
  signal?.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<Got>();
  let over = false;
  const attempt = start(resolve, () => over);
  try {
    return (await within(promise, limitMs, signal)) ?? attempt.late();
  } finally {
    over = true;
    attempt.close();
  }
}

function askUdp(
  server: DnsServer,
  query: Buffer,
  wanted: Wanted,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<Got> {
  return tryOnce(limitMs, signal, (settle, isOver) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
    let garbage = false;
    socket.on('error', (error) => settle(errnoOf(error) ?? 'EFAULT'));
    socket.on('message', (bytes) => {
      try {
        const response = decodeResponse(bytes);
        if (isOurs(response, wanted)) settle(response);
        else garbage = true;
      } catch {
        // Perhaps forged: the true answer may still come.
        garbage = true;
      }
    });
    // A connected socket hears of an ICMP refusal, and takes nothing from other hosts.
    const onConnect = (refused?: Error) => {
      if (isOver()) return;
      // As for fe80::… without a zone: there is no way to it.
      if (refused !== undefined && refused !== null) return settle(errnoOf(refused) ?? 'EINVAL');
      socket.send(query, (error) => {
        if (error !== null) settle(errnoOf(error) ?? 'EFAULT');
      });
    };
    socket.connect(server.port ?? DNS_PORT, server.address, onConnect);
    return { close: () => socket.close(), late: () => (garbage ? 'EBADRESP' : SILENCE) };
  });
}

function askTcp(
  server: DnsServer,
  query: Buffer,
  wanted: Wanted,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<Got> {
  return tryOnce(limitMs, signal, (settle) => {
    const socket = connect({ host: server.address, port: server.port ?? DNS_PORT, autoSelectFamily: false });
    let received = Buffer.alloc(0);
    socket.on('error', (error) => settle(errnoOf(error) ?? 'EFAULT'));
    socket.on('close', () => settle('ECONNRESET'));
    socket.on('connect', () => {
      // Over TCP every message stands behind its length (RFC 1035 section 4.2.2).
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on('data', (data: Buffer) => {
      received = Buffer.concat([received, data]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      try {
        const response = decodeResponse(received.subarray(2, 2 + received.readUInt16BE(0)));
        settle(isOurs(response, wanted) && !response.truncated ? response : 'EBADRESP');
      } catch {
        settle('EBADRESP');
      }
    });
    return { close: () => socket.destroy(), late: () => SILENCE };
  });
}
