import type { Duplex } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { codes } from '../codes.ts';
import { familyOf, printHostPort } from '../endpoint/host.ts';
import { readAnswer } from './exchange.ts';
import type { Login } from './login.ts';

/** What errors name, and how long it may take. */
export interface ProxyOptions {
  /** Where the proxy is to connect to. */
  host: string;
  port: number;
  /** The proxy, printed. */
  hop: string;
  login: Login | undefined;
  signal: AbortSignal;
}

/** RFC 1928 section 6, in words. */
const REPLIES: readonly string[] = [
  'it succeeded',
  'general failure',
  'its rules do not allow this connection',
  'the network is unreachable from there',
  'the host is unreachable from there',
  'the connection was refused there',
  'the connection took too long there',
  'it cannot make connections',
  'it does not know this type of address',
];
const VERSION = 5;
const NO_LOGIN = 0;
const USER_PASSWORD = 2;
const NO_METHOD = 0xff;
/** RFC 1928 section 5. */
const ATYP = { ipv4: 1, name: 3, ipv6: 4 } as const;

/**
 * Asks a SOCKS proxy (RFC 1928, user and password of RFC 1929) to connect to a host, which it looks up itself unless it is a literal.
 * @throws BbxError BBX-NET-PROXY or BBX-NET-PROXY-LOGIN
 */
export async function connectSocks5(stream: Duplex, options: ProxyOptions): Promise<void> {
  const { host, port, hop, login, signal } = options;
  const target = printHostPort(host, port);
  const refuse = (problem: string, reply?: number) =>
    codes['BBX-NET-PROXY']({ target, hop, problem, ...(reply === undefined ? {} : { reply }) });
  const read = async (what: string, take: (bytes: Buffer) => number | undefined) => {
    const answer = await readAnswer(
      stream,
      (bytes) => {
        if (bytes[0] === VERSION || what === 'login') return take(bytes);
        throw refuse(`it does not speak SOCKS 5 (first byte ${hex(bytes[0])})`);
      },
      signal,
    );
    if (answer === undefined) throw refuse(`it closed the connection instead of answering the ${what}`);
    return answer;
  };

  const methods = login === undefined ? [NO_LOGIN] : [NO_LOGIN, USER_PASSWORD];
  stream.write(Buffer.from([VERSION, methods.length, ...methods]));
  const method = (await read('greeting', ({ length }) => (length < 2 ? undefined : 2)))[1];
  if (method === NO_METHOD || method === undefined || !methods.includes(method)) {
    throw codes['BBX-NET-PROXY-LOGIN']({ target, hop, given: login !== undefined });
  }
  if (method === USER_PASSWORD && login !== undefined) {
    stream.write(Buffer.concat([Buffer.from([1]), counted(login.user), counted(login.password.reveal())]));
    const status = (await read('login', ({ length }) => (length < 2 ? undefined : 2)))[1];
    if (status !== 0) throw codes['BBX-NET-PROXY-LOGIN']({ target, hop, given: true });
  }
  stream.write(
    Buffer.concat([Buffer.from([VERSION, 1, 0]), addressBytes(host), Buffer.from([port >> 8, port & 0xff])]),
  );
  const reply = (await read('request', replyLength))[1] ?? 1;
  if (reply !== 0) throw refuse(REPLIES[reply] ?? `code ${reply}`, reply);
}

/** Four bytes, an address of its own type, a port; a refusal may be cut short by a proxy that sees no need for the rest. */
function replyLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return bytes.length >= 2 && bytes[1] !== 0 ? bytes.length : undefined;
  const type = bytes[3];
  const size =
    type === ATYP.ipv4 ? 4 : type === ATYP.ipv6 ? 16 : type === ATYP.name ? 1 + (bytes[4] ?? 0) : 0;
  const whole = 4 + size + 2;
  if (bytes.length >= whole) return whole;
  return bytes[1] === 0 ? undefined : bytes.length;
}

function addressBytes(host: string): Buffer {
  const plain = host.split('%')[0] ?? host;
  const family = familyOf(plain);
  if (family === 0) return Buffer.concat([Buffer.from([ATYP.name]), counted(host)]);
  return Buffer.from([family === 4 ? ATYP.ipv4 : ATYP.ipv6, ...ipaddr.parse(plain).toByteArray()]);
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function hex(byte: number | undefined): string {
  return (byte ?? 0).toString(16).padStart(2, '0');
}
