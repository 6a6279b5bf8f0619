import { didYouMean } from '../../base/did-you-mean.ts';
import { codes } from './codes.ts';
import { describeFault, GrammarFault } from './fault.ts';
import { familyOf, parseHost, parseHostPort, parsePort, printHostPort } from './host.ts';
import { parseTwisted, twistedArgument } from './twisted.ts';
import { parseUnixPath } from './unix-path.ts';

/**
 * Where to listen. `host` is `::` (every address of both families), `localhost` (both loopback addresses), or one address of this
 * host; never a name, whose addresses would be somebody else's to choose. Port 0 lets the system choose.
 */
export type ListenAddress = { kind: 'tcp'; host: string; port: number } | { kind: 'unix'; path: string };

const FORMS = '9989, [::]:9989, localhost:9989, 192.0.2.10:9989 or unix:/path';

/**
 * Reads `9989`, `*:9989`, `[::]:9989`, `localhost:8010`, an address with a port, Twisted's `tcp:9989:interface=\:\:`, and
 * `unix:/path`. A port alone, also in Twisted's form, means both families. `defaultPort` stands in for one that is not written.
 * @throws BbxError BBX-NET-LISTEN-ADDRESS with the column, what is wrong there, and the right form
 */
export function parseListen(text: string, options: { defaultPort?: number } = {}): ListenAddress {
  try {
    return read(text, options.defaultPort);
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    throw codes['BBX-NET-LISTEN-ADDRESS'](describeFault(text, error));
  }
}

function read(text: string, defaultPort: number | undefined): ListenAddress {
  if (text === '') throw new GrammarFault(0, 'it is empty', FORMS);
  if (/^unix:/i.test(text)) return { kind: 'unix', path: parseUnixPath(text, 'unix:'.length) };
  if (/^tcp:/i.test(text)) return readTwisted(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw new GrammarFault(0, 'a URL is where others dial, not where this host listens', FORMS);
  }
  if (/^(ssl|tls|systemd):./i.test(text)) {
    throw new GrammarFault(0, 'of the forms of Twisted only tcp: and unix: are read here', FORMS);
  }
  if (/^\d+$/.test(text)) return { kind: 'tcp', host: '::', port: parsePort(text, 0, 0) };
  if (text.startsWith('*:') || text === '*') return everywhere(text, defaultPort);
  if (/^:\d+$/.test(text)) throw new GrammarFault(0, 'the host is empty', `*${text} for every address`);
  const { host, port } = parseHostPort(text, 0, { minPort: 0, bareIpv6: true, usualPort: defaultPort });
  return { kind: 'tcp', host: ownAddress(host, 0), port: port ?? needed(defaultPort, text, host) };
}

function everywhere(text: string, defaultPort: number | undefined): ListenAddress {
  const port = text === '*' ? needed(defaultPort, text, '::') : parsePort(text.slice(2), 2, 0);
  return { kind: 'tcp', host: '::', port };
}

function needed(defaultPort: number | undefined, text: string, host: string): number {
  if (defaultPort !== undefined) return defaultPort;
  throw new GrammarFault(text.length, 'the port is missing', printHostPort(host, 9989));
}

function ownAddress(host: string, offset: number): string {
  if (host === 'localhost' || familyOf(host) !== 0) return host;
  throw new GrammarFault(offset, 'a name is not an address of this host', FORMS);
}

function readTwisted(text: string): ListenAddress {
  const endpoint = parseTwisted(text);
  const expected = 'tcp:9989, or tcp:9989:interface=\\:\\: with every : of an IPv6 address as \\:';
  const known = ['port', 'interface'];
  const stranger = endpoint.arguments.find(({ name }) => name !== undefined && !known.includes(name));
  if (stranger?.name !== undefined) {
    const near = didYouMean(stranger.name, known);
    const question = near === undefined ? '' : `; did you mean ${near}?`;
    throw new GrammarFault(stranger.at, `${stranger.name}= means nothing here${question}`, expected);
  }
  const port = twistedArgument(endpoint, 'port', 0);
  const place = twistedArgument(endpoint, 'interface', port?.name === undefined ? 1 : 0);
  const used = [port, place].filter((argument) => argument !== undefined).length;
  const extra = endpoint.arguments[used];
  if (extra !== undefined) throw new GrammarFault(extra.at, 'this part is one too many', expected);
  if (port === undefined) throw new GrammarFault('tcp:'.length, 'the port is missing', expected);
  if (place?.value.includes('[') === true) {
    throw new GrammarFault(place.at, 'brackets have no meaning in this form', 'tcp:9989:interface=\\:\\:');
  }
  const host = place === undefined || place.value === '' ? '::' : parseHost(place.value, place.at);
  return { kind: 'tcp', host: ownAddress(host, place?.at ?? 0), port: parsePort(port.value, port.at, 0) };
}

/** The one form in output, which `parseListen` reads back to the same value. */
export function printListen(address: ListenAddress): string {
  return address.kind === 'unix' ? `unix:${address.path}` : printHostPort(address.host, address.port);
}
