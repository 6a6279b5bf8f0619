import { isIP, isIPv6 } from 'node:net';
import { bindArguments, named, optionalInt, pythonInt, TwistedRefusal } from './twisted-call.ts';
import { tokens, unknownType } from './twisted-server.ts';
import type { TwistedArgument, TwistedEndpoint } from './twisted.ts';

/** What `clientFromString` of Twisted 22.4 makes of a text; nothing is connected and no file opened. */
export type TwistedClient =
  | {
      readonly kind: 'tcp' | 'ssl' | 'tls';
      readonly host: string;
      /** Where the host stands in the text. */
      readonly hostAt: number;
      readonly port: number;
      /** Of `tls:` with an endpoint of its own: that endpoint's text. */
      readonly through?: string;
    }
  | { readonly kind: 'unix'; readonly path: string };

const TLS_ARGUMENTS = [
  ...['host', 'port', 'timeout', 'bindAddress', 'certificate'],
  ...['privateKey', 'trustRoots', 'endpoint'],
];
/** Arguments of `ssl:` that become its context, which is then no argument of the connection. */
const SSL_CONTEXT = ['certKey', 'privateKey', 'caCertsDir', 'hostname', 'sslContextFactory'];

/** Reads a client's endpoint string. Throws TwistedRefusal where Twisted raises. */
export function parseTwistedClient(text: string): TwistedClient {
  const endpoint = tokens(text);
  const kind = endpoint.kind.toLowerCase();
  if (kind === 'tcp' || kind === 'ssl') return addressed(kind, endpoint);
  if (kind === 'unix') return unixSocket(endpoint);
  if (kind !== 'tls')
    throw new TwistedRefusal('ValueError', unknownType(endpoint.kind, ['tcp', 'ssl', 'tls', 'unix']), 0);
  const bound = bindArguments(endpoint, TLS_ARGUMENTS, 2, ['reactor']);
  const host = bound.get('host')!;
  const port = pythonInt(bound.get('port')!, 'port');
  optionalInt(bound.get('timeout'), 'timeout');
  const through = bound.get('endpoint');
  if (through === undefined || isIP(host.value) === 0) checkIdna(host);
  if (through !== undefined) parseTwistedClient(through.value);
  return {
    kind,
    // Through IDNA, which makes its letters small.
    host: through === undefined ? host.value.toLowerCase() : host.value,
    hostAt: host.at,
    port,
    ...(through === undefined ? {} : { through: through.value }),
  };
}

/**
 * `tcp:` and `ssl:`: two parts without a name are host and port, and win over named ones; one is whichever has no name; more than two are
 * passed over without a word, which is how `tcp:host=2001:db8::2:port=9989` comes to dial a host "2001".
 */
function addressed(kind: 'tcp' | 'ssl', endpoint: TwistedEndpoint): TwistedClient {
  const unnamed = endpoint.arguments.filter(({ name }) => name === undefined);
  const given = new Map(named(endpoint).map((argument) => [argument.name ?? '', argument]));
  const [first, second] = unnamed;
  if (unnamed.length === 2 && first !== undefined && second !== undefined) {
    pythonInt(second, 'port');
    given.set('port', second).set('host', first);
  } else if (unnamed.length === 1 && first !== undefined) {
    if (given.has('host')) {
      pythonInt(first, 'port');
      given.set('port', first);
    } else given.set('host', first);
  }
  const port = given.get('port');
  const number = port === undefined ? undefined : pythonInt(port, 'port');
  optionalInt(given.get('timeout'), 'timeout');
  const known = ['host', 'port', 'timeout', 'bindAddress', ...(kind === 'ssl' ? SSL_CONTEXT : [])];
  const hostname = kind === 'ssl' ? given.get('hostname') : undefined;
  if (hostname !== undefined && isIP(hostname.value) === 0) checkIdna(hostname);
  for (const [name, argument] of given) {
    if (known.includes(name)) continue;
    throw new TwistedRefusal('TypeError', `"${name}" is no argument of ${kind}:`, argument.at);
  }
  const host = given.get('host');
  const missing = host === undefined ? 'host' : number === undefined ? 'port' : undefined;
  if (missing !== undefined || host === undefined || number === undefined)
    throw new TwistedRefusal('TypeError', `"${missing}" is missing`, 0);
  return { kind, host: host.value, hostAt: host.at, port: number };
}

function unixSocket(endpoint: TwistedEndpoint): TwistedClient {
  const unnamed = endpoint.arguments.filter(({ name }) => name === undefined);
  const given = new Map(named(endpoint).map((argument) => [argument.name ?? '', argument]));
  const [only] = unnamed;
  if (unnamed.length === 1 && only !== undefined) given.set('path', only);
  optionalInt(given.get('lockfile'), 'lockfile');
  optionalInt(given.get('timeout'), 'timeout');
  for (const [name, argument] of given)
    if (!['path', 'lockfile', 'timeout', 'checkPID'].includes(name))
      throw new TwistedRefusal('TypeError', `"${name}" is no argument of unix:`, argument.at);
  const path = given.get('path');
  if (path === undefined) throw new TwistedRefusal('TypeError', '"path" is missing', 0);
  return { kind: 'unix', path: path.value };
}

/** The rule of RFC 5891 that Twisted applies to ASCII names of `tls:`; an IPv6 address has characters that no name has. */
function checkIdna(host: TwistedArgument): void {
  const { value } = host;
  const labels = value.replace(/[.\u3002\uff0e\uff61]$/, '').split('.');
  // Names of other scripts have tables of their own; bbx leaves them to Twisted.
  if (/[^\x00-\x7f]/.test(value)) return;
  const wrong = labels.some(
    (label) => !/^(?!..--)[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(label) && !/^xn--[a-z\d-]+$/i.test(label),
  );
  if (!wrong && value.length <= 254) return;
  throw new TwistedRefusal(
    'IDNAError',
    isIPv6(value)
      ? 'tls: takes names and IPv4 addresses; an IPv6 address is refused'
      : `${JSON.stringify(value)} is no host name`,
    host.at,
  );
}
