import type { Evidence } from '../api/doctor.ts';
import { replaceUnsafe } from '../base/unsafe-text.ts';
import { printHostPort } from '../net/endpoint/host.ts';
import type { DnsReply, NameFacts } from './facts/names.ts';
import type { Attempt, PeerFact } from './facts/paths.ts';

/** Longest text of a peer, a file or a server in one piece of evidence. */
const GOT_CHARACTERS = 300;

/** A piece of evidence; what came from outside is cut and freed of control characters, so that it can be printed anywhere. */
export function evidence(kind: Evidence['kind'], what: string, got: string, at: string): Evidence {
  return { kind, what: harmless(what), got: harmless(got), at };
}

/** A text of a stranger on one line, with `?` for what could do harm at a terminal. */
export function harmless(text: string): string {
  const plain = replaceUnsafe(text, () => '?');
  return plain.length > GOT_CHARACTERS ? `${plain.slice(0, GOT_CHARACTERS)}…` : plain;
}

/** `tcp [2001:db8::2]:9989` → `ECONNREFUSED in 1 ms`. */
export function attemptEvidence(attempt: Attempt, at: string): Evidence {
  return evidence('connect', `tcp ${printHostPort(attempt.address, attempt.port)}`, outcomeText(attempt), at);
}

/** How a connection was tried: `connected in 1 ms`, `ECONNREFUSED after 1 ms`, `no answer in 3 s`. */
export function outcomeText(attempt: Attempt): string {
  if (attempt.outcome === 'connected') return `connected in ${attempt.ms} ms`;
  if (attempt.outcome === 'silent') return `no answer in ${seconds(attempt.ms)}`;
  const local = attempt.local ? ' (refused by this host itself)' : '';
  return `${attempt.errno ?? 'failed'}${local} after ${attempt.ms} ms`;
}

/** A nameserver's answer in a few words. */
export function replyText(reply: DnsReply): string {
  if (reply.outcome === 'answer') return `${reply.addresses.join(', ')} in ${reply.ms} ms`;
  const words = {
    nodata: 'no such record (NODATA)',
    nxdomain: 'no such name (NXDOMAIN)',
    servfail: 'SERVFAIL',
    refused: 'REFUSED',
    timeout: `no answer in ${seconds(reply.ms)}`,
    garbage: 'an answer that cannot be read',
    unreachable: 'the nameserver cannot be reached',
  }[reply.outcome];
  return reply.detail === undefined ? words : `${words} (${reply.detail})`;
}

/** One line for each nameserver and type asked. */
export function dnsEvidence(name: NameFacts, types: readonly ('A' | 'AAAA')[] = ['A', 'AAAA']): Evidence[] {
  return name.servers.flatMap((server) =>
    types.map((type) =>
      evidence('dns', `${type} ${name.name} from ${server.server}`, replyText(server[type]), name.at),
    ),
  );
}

/** What the system's lookup gave; nothing where it was not asked. */
export function lookupEvidence(name: NameFacts): Evidence[] {
  if (name.lookup === null) return [evidence('dns', `lookup of ${name.name}`, 'nothing in time', name.at)];
  const { addresses, errno, ms } = name.lookup;
  const got = addresses.length > 0 ? addresses.join(', ') : (errno ?? 'nothing');
  return [evidence('dns', `lookup of ${name.name} as programs do it`, `${got} in ${ms} ms`, name.at)];
}

/** Who answered at an address, by what it said. */
export function peerEvidence(peer: PeerFact, port: number, at: string): Evidence {
  const bytes = peer.firstBytes === '' ? [] : [`first bytes ${bytesText(peer.firstBytes)}`];
  const words =
    peer.kind === 'bbx' && peer.instance !== null
      ? [`a bbx master, ${peer.instance}, in ${peer.ms} ms`]
      : [...(peer.problem === null ? [] : [peer.problem]), ...bytes];
  return evidence('peer', `hello to ${printHostPort(peer.address, port)}`, words.join('; ') || 'nothing', at);
}

/** Hex that machines can search for, and what a person can read of it. */
function bytesText(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  const text = bytes.toString('latin1').replaceAll(/[^\x20-\x7e]+/g, '.');
  return `${hex.slice(0, 16)}${hex.length > 16 ? '…' : ''} "${text}"`;
}

/** A word as a shell takes it whole: brackets are patterns to it. */
export function pasted(word: string): string {
  return /^[\w./:@+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The flag that leads a command to this directory, as people would type it; nothing where it looks of itself. */
export function dirFlag(shown: string): string {
  return shown === '.' || shown === 'master' ? '' : ` --dir ${pasted(shown)}`;
}

/** A time as people say it. */
export function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
