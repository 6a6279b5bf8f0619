import { defineCodes, row } from '../base/error.ts';
import { EXIT } from '../base/exit.ts';
import { quote } from './endpoint/quote.ts';
import type { Attempt } from './evidence.ts';
import { describeAttempt } from './evidence.ts';
import { explainAttempt } from './explain.ts';

/** Addresses that one message names; a name with more has the rest counted. */
const NAMED_ATTEMPTS = 6;

interface Unreachable {
  target: string;
  attempts: readonly Attempt[];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 'es'}`;
}

function listAttempts(attempts: readonly Attempt[]): string {
  const named = attempts.slice(0, NAMED_ATTEMPTS).map(describeAttempt);
  const rest = attempts.length - named.length;
  return rest > 0 ? `${named.join(', ')}, and ${rest} more` : named.join(', ');
}

/** First suspects, each once. */
function suspects({ target, attempts }: Unreachable): string | undefined {
  const found = new Set(attempts.map((attempt) => explainAttempt(attempt)?.suspect));
  found.delete(undefined);
  return found.size === 0 ? undefined : `Look at: ${[...found].join('; ')}. Try: bbx doctor reach ${target}`;
}

function sshHint(hop: string, problem: string): string | undefined {
  const first = hop.split(', ')[0]?.replace(/^ssh:/, '') ?? '';
  const where = first.replace(/:(\d+)$/, ' -p $1');
  if (/host key verification|host key is known/i.test(problem))
    return `Look at the host's key and take it once, as this user: ssh ${where}`;
  if (/permission denied|authentication/i.test(problem))
    return `This user's key must be let in without a question: ssh -o BatchMode=yes ${where} true`;
  if (/administratively prohibited/i.test(problem))
    return 'That host forbids forwarding: AllowTcpForwarding in its sshd_config';
  return undefined;
}

/** Trouble with sockets, as every part of bbx reports it. */
export const codes = defineCodes({
  'BBX-NET-REFUSED': row<Unreachable>({
    message: ({ target, attempts }) =>
      `Cannot reach ${quote(target)}: ${count(attempts.length, 'address')} refused (${listAttempts(attempts)}); is it running and listening there?`,
    hint: suspects,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'Every address of the target answered that nothing listens there, or a firewall rejected the connection.',
  }),
  'BBX-NET-SILENT': row<Unreachable>({
    message: ({ target, attempts }) =>
      `Cannot reach ${quote(target)}: no answer from ${count(attempts.length, 'address')} (${listAttempts(attempts)})`,
    hint: suspects,
    exit: EXIT.unreachable,
    retryable: true,
    about: 'No address of the target answered at all: usually a firewall that drops, or a wrong address.',
  }),
  'BBX-NET-UNREACHABLE': row<Unreachable>({
    message: ({ target, attempts }) =>
      `Cannot reach ${quote(target)}: ${count(attempts.length, 'address')} failed (${listAttempts(attempts)})`,
    hint: suspects,
    exit: EXIT.unreachable,
    retryable: true,
    about: 'Every address of the target failed; the message names each with its own cause.',
  }),
  'BBX-NET-NAME': row<{ name: string; answers: readonly string[] }>({
    message: ({ name, answers }) => `Cannot find host ${quote(name)}: ${answers.join('; ')}`,
    hint: ({ name }) => `Try: bbx doctor dns ${name}`,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'The system has no address for the name, in neither family. Each family is asked apart and named apart.',
  }),
  'BBX-NET-TIME': row<{ target: string; phase: string; ms: number; attempts?: readonly Attempt[] }>({
    message: ({ target, phase, ms, attempts = [] }) =>
      `Cannot reach ${quote(target)}: ${phase} was not done within ${ms / 1000} s${attempts.length === 0 ? '' : ` (${listAttempts(attempts)})`}`,
    exit: EXIT.unreachable,
    retryable: true,
    about: 'One phase of making a connection took longer than its limit; the message names the phase.',
  }),
  'BBX-NET-TLS': row<{ target: string; problem: string }>({
    message: ({ target, problem }) => `Cannot talk TLS with ${quote(target)}: ${problem}`,
    hint: ({ target }) => `Try: bbx doctor reach ${target}`,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'The TLS handshake failed before any certificate was judged: no TLS there, or no version in common.',
  }),
  'BBX-NET-PIN': row<{ target: string; got: string; pins: readonly string[] }>({
    message: ({ target, got, pins }) =>
      `Refusing ${quote(target)}: its key is ${got}, not the pinned ${pins.join(' or ')}`,
    hint: () =>
      'If its key was replaced on purpose, take a new join string from the master; else somebody else answers there',
    exit: EXIT.unauthenticated,
    about: 'The peer proved another key than the one that was pinned at the first join.',
  }),
  'BBX-NET-CERTIFICATE': row<{ target: string; problem: string }>({
    message: ({ target, problem }) => `Refusing the certificate of ${quote(target)}: ${problem}`,
    exit: EXIT.unauthenticated,
    about: 'The certificate is not signed by a trusted authority, is out of date, or is for another name.',
  }),
  'BBX-NET-HOP-KIND': row<{ hop: string }>({
    message: ({ hop }) => `Cannot go by way of ${quote(hop)}: this version of bbx has no such hop`,
    hint: () => 'Leave `via` out, and forward one TCP port by other means',
    exit: EXIT.usage,
    about: 'The address of the hop is right, and this version cannot make connections through such a hop.',
  }),
  'BBX-NET-HOP-ORDER': row<{ hop: string }>({
    message: ({ hop }) =>
      `Cannot go by way of proxies to ${quote(hop)}: only a host and port can be behind them`,
    hint: () => 'Name ssh hops first; a ProxyCommand in ssh’s own configuration puts ssh behind a proxy',
    exit: EXIT.usage,
    about: 'An ssh hop stands behind a proxy, or a socket of the file system behind any hop.',
  }),
  'BBX-NET-PROXY': row<{ target: string; hop: string; problem: string; reply?: number }>({
    message: ({ target, hop, problem }) =>
      `Cannot reach ${quote(target)} by way of ${quote(hop)}: ${problem}`,
    hint: ({ target, hop }) => `Try: bbx doctor reach ${target} --via ${hop}`,
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'The SOCKS or HTTP proxy answered, and made no connection to the target; the message has its own words.',
  }),
  'BBX-NET-PROXY-LOGIN': row<{ target: string; hop: string; given: boolean }>({
    message: ({ target, hop, given }) =>
      given
        ? `Cannot reach ${quote(target)} by way of ${quote(hop)}: the proxy refuses our user and password`
        : `Cannot reach ${quote(target)} by way of ${quote(hop)}: the proxy wants a user and password`,
    hint: () =>
      'Write "machine PROXY login USER password PASSWORD" into ~/.netrc (or the file that NETRC names), mode 0600',
    exit: EXIT.unauthenticated,
    retryable: true,
    about: 'A proxy wants a user and password, or refuses those that the netrc file has for its host.',
  }),
  'BBX-NET-NETRC': row<{ path: string; problem: string }>({
    message: ({ path, problem }) => `Cannot use the logins in ${quote(path)}: ${problem}`,
    hint: ({ path }) => `Try: chmod 600 ${path}`,
    exit: EXIT.configInvalid,
    retryable: true,
    about: 'The file with logins of proxies cannot be read, or other users may read the passwords in it.',
  }),
  'BBX-NET-SSH': row<{ target: string; hop: string; problem: string }>({
    message: ({ target, hop, problem }) =>
      `Cannot reach ${quote(target)} by way of ${quote(hop)}: ssh says: ${problem}`,
    hint: ({ hop, problem }) => sshHint(hop, problem),
    exit: EXIT.unreachable,
    retryable: true,
    about:
      'The system’s ssh could not log in to a hop, or that host could not connect to the target. bbx never answers a question of ssh.',
  }),
  'BBX-NET-UPGRADE': row<{ target: string; problem: string }>({
    message: ({ target, problem }) => `Cannot open a WebSocket on ${quote(target)}: ${problem}`,
    exit: EXIT.unreachable,
    retryable: true,
    about: 'The peer answered the WebSocket handshake with something else.',
  }),
  'BBX-NET-UNIX': row<{ path: string; errno: string }>({
    message: ({ path, errno }) => `Cannot reach socket ${quote(path)}: ${errno}`,
    hint: ({ errno }) =>
      errno === 'EACCES' ? 'It belongs to another user' : 'The program that listens there is not running',
    exit: EXIT.unreachable,
    retryable: true,
    about: 'A socket in the file system could not be connected.',
  }),
  'BBX-NET-IN-USE': row<{ address: string; holders: readonly string[] }>({
    message: ({ address, holders }) =>
      `Cannot listen on ${quote(address)}: the address is in use${holders.length === 0 ? '' : ` (held by a listener on ${holders.join(', ')})`}`,
    hint: () => 'Stop the other program, or choose another port; its owner: ss -ltnp',
    exit: EXIT.conflict,
    about: 'Another program listens on this port, on this address or on one that overlaps it.',
  }),
  'BBX-NET-PRIVILEGE': row<{ address: string }>({
    message: ({ address }) =>
      `Cannot listen on ${quote(address)}: the port needs a privilege that this user lacks`,
    hint: () => 'Choose a port from 1024, or use a socket unit or CAP_NET_BIND_SERVICE',
    exit: EXIT.forbidden,
    about: 'Low ports are reserved by the system.',
  }),
  'BBX-NET-NOT-OURS': row<{ address: string; errno: string }>({
    message: ({ address, errno }) =>
      `Cannot listen on ${quote(address)}: not an address of this host (${errno})`,
    hint: () =>
      'Use [::] for every address, or one that `ip address` shows; an IPv6 address may not be ready yet',
    exit: EXIT.configInvalid,
    about: 'The address is not on any interface, is still tentative, or its family is switched off.',
  }),
  'BBX-NET-LISTEN': row<{ address: string; problem: string }>({
    message: ({ address, problem }) => `Cannot listen on ${quote(address)}: ${problem}`,
    exit: EXIT.failed,
    about: 'The system refused to listen for a reason that has no row of its own.',
  }),
});
