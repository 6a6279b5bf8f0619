import { decode, encode, type Packet, type Question } from 'dns-packet';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Answer, Nameserver } from './recipe.ts';

const CODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
const TRUNCATED = 0x200;
/** More than any client should read for one question. */
const FLOOD = { packets: 200, bytes: 1400 };

/** Serves one nameserver's names on an address, over UDP and TCP, as badly as it is told to. */
export async function serveNames(host: string, given: Nameserver): Promise<void> {
  const udp = createSocket(isIPv6(host) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
  udp.on('message', (bytes, from) => {
    const send = (packet: Uint8Array) => udp.send(packet, from.port, from.address);
    reply(given, bytes, 'udp', send);
  });
  udp.bind(53, host);
  await once(udp, 'listening');
  if (given.dead === true) return;
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => {
      reply(given, bytes.subarray(2), 'tcp', (packet) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(packet.length);
        socket.end(Buffer.concat([length, packet]));
      });
    });
  });
  tcp.listen({ host, port: 53, ipv6Only: isIPv6(host) });
  await once(tcp, 'listening');
}

function reply(given: Nameserver, bytes: Buffer, over: 'udp' | 'tcp', send: (packet: Uint8Array) => void) {
  if (given.dead === true) return;
  const query = decode(bytes);
  const [question] = query.questions ?? [];
  if (question === undefined) return;
  const answer = answerTo(given, question);
  const respond = (addresses: readonly string[], flags = 0) =>
    send(encode(packetOf(query.id ?? 0, question, addresses, flags)));
  if (answer === 'silence') return;
  if (answer === 'garbage') return send(Buffer.from('ffffffffffff', 'hex'));
  if (answer === 'flood') {
    for (let n = 0; n < FLOOD.packets; n += 1) send(Buffer.alloc(FLOOD.bytes, n));
    return;
  }
  if (typeof answer === 'string') return respond([], CODES[answer]);
  if ('afterMs' in answer) {
    setTimeout(() => respond(answer.addresses), answer.afterMs);
    return;
  }
  if ('truncated' in answer) {
    if (over === 'udp') respond([], TRUNCATED);
    else if (answer.tcp) respond(answer.truncated);
    return;
  }
  respond(answer);
}

function answerTo(given: Nameserver, question: Question): Answer {
  const records = given.names?.[question.name.toLowerCase()];
  if (records === undefined) return 'NXDOMAIN';
  const answer = records[question.type as 'A' | 'AAAA' | 'PTR'] ?? [];
  if (question.type !== 'AAAA' || given.dns64 === undefined) return answer;
  if (!Array.isArray(answer) || answer.length > 0 || !Array.isArray(records.A)) return answer;
  return records.A.map((address: string) => embed(given.dns64 ?? '', address));
}

/** An IPv4 address within a /96 (RFC 6052). */
function embed(prefix: string, address: string): string {
  const bytes = ipaddr.IPv6.parse(prefix).toByteArray();
  bytes.splice(12, 4, ...ipaddr.IPv4.parse(address).toByteArray());
  return new ipaddr.IPv6(bytes).toString();
}

function packetOf(id: number, question: Question, addresses: readonly string[], flags: number): Packet {
  return {
    type: 'response',
    id,
    // Recursion is available, as stub resolvers expect.
    flags: flags | 0x80,
    questions: [question],
    answers: addresses.map((data) => ({ type: question.type as 'A', name: question.name, ttl: 1, data })),
  };
}
