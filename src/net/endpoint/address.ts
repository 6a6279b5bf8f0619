import { didYouMean } from '../../base/did-you-mean.ts';
import { codes } from './codes.ts';
import { describeFault, GrammarFault } from './fault.ts';
import { parseHost, parseHostPort, parsePort, printHost, printHostPort } from './host.ts';
import { parseTwisted, twistedArgument } from './twisted.ts';
import { parseUnixPath } from './unix-path.ts';
import { parseAuthority } from './url-authority.ts';

/** The worker port of Buildbot, and so ours. */
export const DEFAULT_PORT = 9989;

/** A host to dial: `host` is a name in lower case, an IPv4 address, or an IPv6 address in its RFC 5952 form, without brackets. */
export interface TcpAddress {
  kind: 'tcp';
  host: string;
  port: number;
}

/** A path of a web port through which a byte stream travels; `path` starts with `/` and includes a query. */
export interface WebSocketAddress {
  kind: 'web-socket';
  secure: boolean;
  host: string;
  port: number;
  path: string;
}

export interface UnixAddress {
  kind: 'unix';
  path: string;
}

/** Where somebody can be reached. */
export type Address = TcpAddress | WebSocketAddress | UnixAddress;

const FORMS = 'host:9989, [2001:db8::2]:9989, wss://host/path or unix:/path';

/**
 * Reads every form that docs/addresses.md lists. `defaultPort` stands in for a port that is not written (9989).
 * @throws BbxError BBX-NET-ADDRESS with the column, what is wrong there, and the right form
 */
export function parseAddress(text: string, options: { defaultPort?: number } = {}): Address {
  const defaultPort = options.defaultPort ?? DEFAULT_PORT;
  try {
    return read(text, defaultPort);
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    throw codes['BBX-NET-ADDRESS'](describeFault(text, error));
  }
}

function read(text: string, defaultPort: number): Address {
  if (text === '') throw new GrammarFault(0, 'it is empty', FORMS);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1];
  if (scheme !== undefined) return readUrl(text, scheme.toLowerCase());
  if (/^unix:/i.test(text)) return { kind: 'unix', path: parseUnixPath(text, 'unix:'.length) };
  if (/^tcp:/i.test(text)) return readTwisted(text, defaultPort);
  const secured = /^(tls|ssl):.*[:=]/i.exec(text)?.[1];
  if (secured !== undefined) {
    throw new GrammarFault(0, `bbx uses TLS by itself, ${secured}: says nothing new`, 'host:9989');
  }
  const { host, port } = parseHostPort(text, 0, { minPort: 1, bareIpv6: true, usualPort: defaultPort });
  return { kind: 'tcp', host, port: port ?? defaultPort };
}

function readUrl(text: string, scheme: string): WebSocketAddress {
  const start = scheme.length + '://'.length;
  if (scheme === 'http' || scheme === 'https') {
    const right = `${scheme === 'https' ? 'wss' : 'ws'}://${text.slice(start)}`;
    throw new GrammarFault(0, 'a page is not the worker path of a web port', `${right}, or host:9989`);
  }
  if (scheme !== 'ws' && scheme !== 'wss') {
    const near = didYouMean(scheme, ['ws', 'wss', 'tcp', 'unix']);
    throw new GrammarFault(
      0,
      `${scheme}:// is not known here${near === undefined ? '' : `; did you mean ${near}?`}`,
      FORMS,
    );
  }
  const secure = scheme === 'wss';
  const { host, port, path } = parseAuthority(text, start, { path: true });
  return { kind: 'web-socket', secure, host, port: port ?? (secure ? 443 : 80), path };
}

function readTwisted(text: string, defaultPort: number): TcpAddress {
  const endpoint = parseTwisted(text);
  const expected = 'tcp:host=ci.example:port=9989, with every : of an IPv6 address as \\:';
  const known = ['host', 'port'];
  const stranger = endpoint.arguments.find(({ name }) => name !== undefined && !known.includes(name));
  if (stranger?.name !== undefined) {
    const near = didYouMean(stranger.name, known);
    const question = near === undefined ? '' : `; did you mean ${near}?`;
    throw new GrammarFault(stranger.at, `${stranger.name}= means nothing here${question}`, expected);
  }
  const host = twistedArgument(endpoint, 'host', 0);
  const namedHost = host?.name !== undefined;
  const port = twistedArgument(endpoint, 'port', namedHost ? 0 : 1);
  const used = [host, port].filter((argument) => argument !== undefined).length;
  const extra = endpoint.arguments[used];
  if (extra !== undefined) throw new GrammarFault(extra.at, 'this part is one too many', expected);
  if (host === undefined || (endpoint.arguments.length === 1 && !namedHost && /^\d+$/.test(host.value))) {
    throw new GrammarFault('tcp:'.length, 'the host is missing', expected);
  }
  if (host.value.includes('[')) {
    throw new GrammarFault(
      host.at,
      'brackets have no meaning in this form',
      'tcp:host=2001\\:db8\\:\\:2:port=9989',
    );
  }
  return {
    kind: 'tcp',
    host: parseHost(host.value, host.at),
    port: port === undefined ? defaultPort : parsePort(port.value, port.at, 1),
  };
}

/** The one form of an address in output: IPv6 in brackets, the port always there. `parseAddress` reads it back to the same value. */
export function printAddress(address: Address): string {
  switch (address.kind) {
    case 'tcp':
      // A host that is called like the start of another form.
      if (address.host === 'tcp' || address.host === 'unix')
        return `tcp:host=${address.host}:port=${address.port}`;
      return printHostPort(address.host, address.port);
    case 'unix':
      return `unix:${address.path}`;
    case 'web-socket': {
      const usual = address.port === (address.secure ? 443 : 80);
      const where = usual ? printHost(address.host) : printHostPort(address.host, address.port);
      return `${address.secure ? 'wss' : 'ws'}://${where}${address.path}`;
    }
  }
}
