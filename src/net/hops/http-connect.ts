import type { Duplex } from 'node:stream';
import { replaceUnsafe } from '../../base/unsafe-text.ts';
import { codes } from '../codes.ts';
import { printHostPort } from '../endpoint/host.ts';
import { readAnswer } from './exchange.ts';
import type { ProxyOptions } from './socks5.ts';

/** Headers of a proxy's answer; a page that explains a refusal is not read. */
const HEADER_BYTES = 16 * 1024;
/** Of a status line, in messages. */
const STATUS_CHARACTERS = 120;
const END = Buffer.from('\r\n\r\n');

/**
 * Asks an HTTP proxy for a tunnel (CONNECT, RFC 9110 section 9.3.6). IPv6 literals stand in brackets. The login, where there is one, goes along
 * at once as Basic: a proxy that wants one mostly closes the connection after it has said so.
 * @throws BbxError BBX-NET-PROXY or BBX-NET-PROXY-LOGIN
 */
export async function connectHttp(stream: Duplex, options: ProxyOptions): Promise<void> {
  const { host, port, hop, login, signal } = options;
  const target = printHostPort(host.split('%')[0] ?? host, port);
  const refuse = (problem: string, reply?: number) =>
    codes['BBX-NET-PROXY']({ target, hop, problem, ...(reply === undefined ? {} : { reply }) });
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, 'User-Agent: bbx'];
  if (login !== undefined) {
    const basic = Buffer.from(`${login.user}:${login.password.reveal()}`).toString('base64');
    lines.push(`Proxy-Authorization: Basic ${basic}`);
  }
  stream.write(`${lines.join('\r\n')}\r\n\r\n`);
  const answer = await readAnswer(
    stream,
    (bytes) => {
      if (!'HTTP/'.startsWith(bytes.subarray(0, 5).toString('latin1'))) {
        throw refuse(`it does not speak HTTP (it says ${quoteFirst(bytes)})`);
      }
      const end = bytes.indexOf(END);
      if (end < 0 && bytes.length > HEADER_BYTES) throw refuse('its answer has no end');
      return end < 0 ? undefined : end + END.length;
    },
    signal,
  );
  if (answer === undefined) throw refuse('it closed the connection instead of answering');
  const line = answer.subarray(0, answer.indexOf('\r\n')).toString('latin1');
  const [, status, reason = ''] = /^HTTP\/\d(?:\.\d)? (\d{3})(?: (.*))?$/.exec(line) ?? [];
  if (status === undefined) throw refuse(`its answer cannot be read (${quoteFirst(answer)})`);
  if (status.startsWith('2')) return;
  // tinyproxy says 401 to a wrong password.
  if (status === '407' || (status === '401' && login !== undefined))
    throw codes['BBX-NET-PROXY-LOGIN']({ target, hop, given: login !== undefined });
  const words = replaceUnsafe(reason.slice(0, STATUS_CHARACTERS), () => '?');
  throw refuse(`it answered ${status} ${words}`.trim(), Number(status));
}

function quoteFirst(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 32)).toString('latin1');
  return JSON.stringify(text.replaceAll(/[^\x20-\x7e]+/g, '.'));
}
