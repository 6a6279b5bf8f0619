import { hostname } from 'node:os';
import type { Socket } from 'node:net';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import { connectLiteral } from '../../net/hops/tcp.ts';
import { greetSmtp, upgradeSmtp, type SmtpGreeting } from '../../net/smtp.ts';
import { verdictWithSystem } from '../../net/tls/authorities.ts';
import { inspectTls, type TlsInspection } from '../../net/tls/inspect.ts';
import type { MailSubject, StatusSubject } from '../far-subjects.ts';
import type { MailFact, StatusFact } from '../facts/mail.ts';
import { certificateFact, fitOf } from './tls.ts';

/** Banner, EHLO and QUIT: a server that holds its banner back against spammers takes some seconds. */
const GREETING_MS = 8_000;
const CONNECT_MS = 3_000;
const TLS_MS = 4_000;
/** The first line of an HTTP answer. */
const STATUS_BYTES = 1_024;

/** Greets one address of a mail server, and looks at its TLS where there is to be any. */
export async function readMail(mail: MailSubject, address: string, signal: AbortSignal): Promise<MailFact> {
  const family = familyOf(address) === 6 ? 6 : 4;
  if (mail.tls === 'tls') {
    const seen = await inspectTls(address, mail.port, { ...tlsOptions(mail, signal) });
    return { address, family, greeting: greetingInside(seen), tls: tlsFact(seen, mail) };
  }
  const greeting = await greetPlain(mail, address, signal);
  const offered = greeting?.extensions.includes('STARTTLS') === true;
  if (mail.tls === 'none' || greeting?.outcome !== 'ready') return { address, family, greeting, tls: null };
  if (!offered) {
    const missing = {
      outcome: 'not offered' as const,
      code: null,
      version: null,
      chain: [],
      distrust: null,
      fits: false,
    };
    return { address, family, greeting, tls: { ...missing, extensions: null } };
  }
  const seen = await inspectTls(address, mail.port, {
    ...tlsOptions(mail, signal),
    before: (socket, limit) => upgradeSmtp(socket, { name: ownName(socket), signal: limit }),
    speak: `EHLO ${ehloName()}\r\n`,
  });
  return { address, family, greeting, tls: tlsFact(seen, mail) };
}

function tlsOptions(mail: MailSubject, signal: AbortSignal) {
  return { servername: mail.host, limitMs: TLS_MS, signal };
}

async function greetPlain(
  { port }: MailSubject,
  address: string,
  signal: AbortSignal,
): Promise<SmtpGreeting | null> {
  let socket: Socket;
  try {
    socket = await connectLiteral(address, port, AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]));
  } catch {
    signal.throwIfAborted();
    return null;
  }
  try {
    return await greetSmtp(socket, { name: ownName(socket), signal, limitMs: GREETING_MS });
  } finally {
    socket.destroy();
  }
}

/** RFC 5321 section 4.1.3: who has no name of his own says his address. */
function ownName(socket: Socket): string {
  const name = ehloName();
  if (name.includes('.') || socket.localAddress === undefined) return name;
  const plain = socket.localAddress.split('%')[0] ?? '';
  return plain.includes(':') ? `[IPv6:${plain}]` : `[${plain}]`;
}

const ehloName = () => (/^[\w.-]{1,255}$/.test(hostname()) ? hostname() : 'localhost');

/** Inside TLS from the first byte the banner comes by itself. */
function greetingInside(seen: TlsInspection): SmtpGreeting | null {
  if (seen.outcome !== 'secured') return null;
  const text = seen.first?.bytes.toString('latin1') ?? '';
  const [, code, banner] = /^([2-5]\d\d)[ -](.*?)\r?$/m.exec(text) ?? [];
  const base = {
    extensions: [],
    problem: null,
    ms: seen.ms,
    banner: banner ?? null,
    code: code === undefined ? null : Number(code),
  };
  if (code === undefined)
    return {
      ...base,
      outcome: text === '' ? (seen.first?.kind === 'quiet' ? 'silent' : 'closed') : 'strange',
    };
  return { ...base, outcome: code === '220' ? 'ready' : 'refused' };
}

function tlsFact(seen: TlsInspection, mail: MailSubject): NonNullable<MailFact['tls']> {
  const [own] = seen.chain;
  const after = seen.first?.bytes.toString('latin1') ?? '';
  const answered = /^250[ -]/m.test(after);
  return {
    outcome: seen.outcome,
    code: seen.code,
    version: seen.version,
    chain: seen.chain.map(certificateFact),
    distrust: verdictWithSystem(seen.chain, seen.distrust).distrust,
    fits: own !== undefined && fitOf(own, mail.host) !== 'no',
    extensions: answered
      ? after
          .split(/\r?\n/)
          .filter((line) => /^250[ -]/.test(line))
          .slice(1)
          .map((line) => line.slice(4).toUpperCase())
      : null,
  };
}

/** Asks one address of a web service for the head of its base address. */
export async function readStatus(
  service: StatusSubject,
  address: string,
  signal: AbortSignal,
): Promise<StatusFact> {
  const started = performance.now();
  const done = (part: Partial<StatusFact>): StatusFact => ({
    address,
    family: familyOf(address) === 6 ? 6 : 4,
    status: null,
    distrust: null,
    issuer: null,
    added: null,
    problem: null,
    ms: Math.round(performance.now() - started),
    ...part,
  });
  const usual = service.port === (service.secure ? 443 : 80);
  const where =
    usual && familyOf(service.host) !== 6 ? service.host : printHostPort(service.host, service.port);
  const ask = `HEAD ${service.path} HTTP/1.1\r\nHost: ${where}\r\nConnection: close\r\nUser-Agent: bbx-doctor\r\n\r\n`;
  if (service.secure) {
    const seen = await inspectTls(address, service.port, {
      servername: service.host,
      speak: ask,
      limitMs: TLS_MS,
      signal,
    });
    if (seen.outcome !== 'secured')
      return done({ problem: `${seen.outcome}${seen.code === null ? '' : ` (${seen.code})`}` });
    const [own] = seen.chain;
    const { distrust, added } = verdictWithSystem(seen.chain, seen.distrust);
    return done({
      ...statusIn(seen.first?.bytes.toString('latin1') ?? ''),
      distrust: distrust ?? (own === undefined || fitOf(own, service.host) === 'no' ? 'another name' : null),
      issuer: own === undefined ? null : certificateFact(own).issuer,
      added,
    });
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TLS_MS)]);
  try {
    const socket = await connectLiteral(address, service.port, limit);
    try {
      socket.write(ask);
      return done(statusIn(await firstBytes(socket, limit)));
    } finally {
      socket.destroy();
    }
  } catch {
    signal.throwIfAborted();
    return done({ problem: 'no answer' });
  }
}

function statusIn(text: string): Pick<StatusFact, 'status' | 'problem'> {
  const code = /^HTTP\/\d(?:\.\d)? (\d{3})\b/.exec(text)?.[1];
  return code === undefined
    ? { status: null, problem: text === '' ? 'closed without a word' : 'no HTTP' }
    : { status: Number(code), problem: null };
}

function firstBytes(socket: Socket, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    const end = (text: string) => {
      signal.removeEventListener('abort', onAbort);
      resolve(text);
    };
    socket.once('data', (bytes: Buffer) => end(bytes.subarray(0, STATUS_BYTES).toString('latin1')));
    socket.once('close', () => end(''));
  });
}
