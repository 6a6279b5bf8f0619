import { isIPv6 } from 'node:net';
import { parseTwistedClient, type TwistedClient } from '../../net/endpoint/twisted-client.ts';
import { TwistedRefusal } from '../../net/endpoint/twisted-call.ts';
import { parseTwistedServer, PLUGIN_TYPES, type TwistedServer } from '../../net/endpoint/twisted-server.ts';
import { parseTwisted } from '../../net/endpoint/twisted.ts';
import { bindingOf, type Binding } from './families.ts';
import { meantAddress, rightClient, rightServer } from './guess.ts';
import type { StockListener } from './master-file.ts';

/** What is wrong with an endpoint string, by the check that says so. */
export interface Mistake {
  readonly id:
    | 'STK-01'
    | 'STK-02'
    | 'STK-03'
    | 'STK-04'
    | 'STK-05'
    | 'STK-06'
    | 'STK-07'
    | 'STK-09'
    | 'STK-13'
    | 'STK-15';
  readonly problem: string;
  /** What to write instead, as Buildbot shall get it; undefined where only a person can know. */
  readonly right?: string | number;
  /** Python's exception. */
  readonly error?: string;
}

/** What stock Buildbot makes of a port or an endpoint string. */
export interface EndpointReading {
  /** With the `tcp:` that Buildbot puts before a bare port. */
  readonly text: string;
  readonly server?: TwistedServer;
  readonly client?: TwistedClient;
  /** What is listened on; null where nothing is, or it is no network address. */
  readonly binding: Binding | null;
  readonly port: number | null;
  readonly mistake: Mistake | undefined;
}

const OWN_SERVER_TYPES = ['tcp', 'ssl', 'unix'];
const CLIENT_TYPES = ['tcp', 'ssl', 'tls', 'unix'];

/** Reads the port of a master's listener, as its way does. */
export function readListener(
  value: string | number,
  way: StockListener['way'],
  odd: readonly string[] = [],
): EndpointReading {
  // The web server puts it before a number alone.
  const bare = typeof value === 'number' || (way !== 'web' && !value.includes(':'));
  const text = bare ? `tcp:${value}` : value;
  if (way === 'msgpack') return readMsgpackPort(value, text);
  const kind = kindOf(text);
  let server: TwistedServer;
  try {
    server = parseTwistedServer(text);
  } catch (error) {
    if (!(error instanceof TwistedRefusal)) throw error;
    return { text, binding: null, port: null, mistake: refusedServer(text, kind, error) };
  }
  const plugin = PLUGIN_TYPES.find((type) => type === kind.toLowerCase());
  if (plugin !== undefined && way === 'pb') {
    const mistake: Mistake = {
      id: 'STK-01',
      problem: `"${plugin}:" is no kind that Buildbot's own ports take, though Twisted has it`,
      right: rightServer(text),
      error: 'TypeError',
    };
    return { text, server, binding: null, port: null, mistake };
  }
  if (!('port' in server)) return { text, server, binding: null, port: null, mistake: undefined };
  const binding = bindingOf(server.host);
  const mistake = listeningMistake(text, server, binding) ?? oddEscape(text, odd);
  const opens = mistake?.id !== 'STK-01';
  return { text, server, binding: opens ? binding : null, port: server.port, mistake };
}

/** Reads what a worker dials: `connection_string`. */
export function readDialled(text: string, odd: readonly string[] = []): EndpointReading {
  const none = { text, binding: null, port: null };
  const kind = kindOf(text);
  try {
    const client = parseTwistedClient(text);
    const mistake = dialledMistake(text, client) ?? oddEscape(text, odd);
    return { ...none, client, mistake };
  } catch (error) {
    if (!(error instanceof TwistedRefusal)) throw error;
    if (!CLIENT_TYPES.includes(kind.toLowerCase()))
      return { ...none, mistake: withRight('STK-06', error, rightClient(text)) };
    if (hasDoubleEscape(text)) return { ...none, mistake: withRight('STK-02', error, rightClient(text)) };
    const id = kind.toLowerCase() === 'tls' && error.error === 'IDNAError' ? 'STK-09' : 'STK-04';
    return { ...none, mistake: withRight(id, error, id === 'STK-09' ? undefined : rightClient(text)) };
  }
}

function readMsgpackPort(value: string | number, text: string): EndpointReading {
  const digits = /^\s*\d{1,5}\s*$/.test(String(value));
  if (digits)
    return { text, binding: { kind: 'all-ipv4' }, port: Number(value), mistake: ipv4Alone(text, 'msgpack') };
  return {
    text,
    binding: null,
    port: null,
    mistake: {
      id: 'STK-01',
      problem:
        'msgpack takes a number and nothing else, so it listens on IPv4 alone; with this text the master ends at its start',
      error: 'ValueError',
    },
  };
}

function refusedServer(text: string, kind: string, error: TwistedRefusal): Mistake {
  const right = rightServer(text);
  if (hasDoubleEscape(text)) return withRight('STK-02', error, right);
  const known = OWN_SERVER_TYPES.includes(kind) || PLUGIN_TYPES.some((type) => type === kind.toLowerCase());
  if (!known && error.error === 'ValueError')
    return withRight('STK-06', error, /^\s*(tcp|ssl)\d?\s*:/i.test(text) ? right : undefined);
  // Of an address whose colons part the string, pieces stand where the files belong.
  const address = meantAddress(text);
  const isTorn = address !== undefined && text.includes(address);
  if (kind === 'ssl' && /privateKey|certKey/.test(error.message) && !isTorn)
    return withRight('STK-13', error, undefined);
  return withRight('STK-01', error, right);
}

function listeningMistake(
  text: string,
  server: Extract<TwistedServer, { port: number }>,
  binding: Binding,
): Mistake | undefined {
  if (/[[\]]/.test(server.host))
    return {
      id: 'STK-01',
      problem: `brackets have no meaning here, and "${server.host}" is no address`,
      right: rightServer(text),
      error: 'CannotListenError',
    };
  if (binding.kind === 'name')
    return {
      id: 'STK-15',
      problem: `the name "${binding.name}" is looked up for an IPv4 address alone, when the master starts`,
      right: binding.name === 'localhost' ? text.replace('localhost', String.raw`\:\:1`) : rightServer(text),
    };
  if (binding.kind !== 'all-ipv4' || server.host !== '')
    return binding.kind === 'all-ipv4' ? ipv4Alone(text, 'chosen') : undefined;
  if (server.hostAt !== null || /:\s|\s:/.test(text))
    return {
      id: 'STK-05',
      problem: 'an empty part and spaces are passed over without a word, and it listens on IPv4 alone',
      right: rightServer(text),
    };
  return ipv4Alone(text, 'plain');
}

function ipv4Alone(text: string, why: 'plain' | 'chosen' | 'msgpack'): Mistake {
  const problem = {
    plain: 'without interface= it listens on every IPv4 address and on no IPv6 one',
    chosen: 'it listens on every IPv4 address and on no IPv6 one',
    msgpack: 'msgpack listens on every IPv4 address and on no IPv6 one; it has no setting for that',
  }[why];
  return {
    id: 'STK-07',
    problem,
    ...(why === 'msgpack' ? {} : { right: rightServer(text.replace(/:interface=0\.0\.0\.0/, '')) }),
  };
}

function dialledMistake(text: string, client: TwistedClient): Mistake | undefined {
  if (!('host' in client)) return undefined;
  const endpoint = parseTwisted(text);
  const unnamed = endpoint.arguments.filter(({ name }) => name === undefined).length;
  const names = endpoint.arguments.length - unnamed;
  const right = rightClient(text);
  const advice = right === undefined ? {} : { right };
  if (hasDoubleEscape(text) && (unnamed > 0 || client.host.includes('\\')))
    return { id: 'STK-02', problem: doubleEscapeWords(), ...advice };
  if (client.kind !== 'tls' && (unnamed > 2 || (unnamed === 2 && names > 0)))
    return {
      id: 'STK-04',
      problem: `every ":" parts the text, so that Twisted reads, without a word, the host ${JSON.stringify(client.host)} and the port ${client.port}`,
      ...advice,
    };
  if (/[[\]]/.test(client.host))
    return {
      id: 'STK-04',
      problem: `brackets have no meaning here: a host by the name "${client.host}" is looked up`,
      ...advice,
    };
  return undefined;
}

function oddEscape(text: string, odd: readonly string[]): Mistake | undefined {
  const [first] = odd;
  if (first === undefined) return undefined;
  return {
    id: 'STK-03',
    problem: `"${first}" is no escape of Python, which keeps it as it is and warns of it: DeprecationWarning since 3.6, SyntaxWarning since 3.12`,
    right: text,
  };
}

/** `\\:` where one backslash was meant: the first escapes the second, and the colon parts the text all the same. */
function hasDoubleEscape(text: string): boolean {
  return /\\\\:/.test(text);
}

function doubleEscapeWords(): string {
  return String.raw`each "\\:" is a backslash and a colon that parts the text; one backslash is enough in a raw string, r'\:'`;
}

function withRight(id: Mistake['id'], error: TwistedRefusal, right: string | undefined): Mistake {
  return {
    id,
    problem: id === 'STK-02' ? doubleEscapeWords() : error.message,
    error: error.error,
    ...(right === undefined ? {} : { right }),
  };
}

function kindOf(text: string): string {
  try {
    return parseTwisted(text).kind;
  } catch {
    return text.slice(0, Math.max(0, text.indexOf(':')));
  }
}

/** An IPv6 literal in brackets or without. */
export function literalIpv6(host: string): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return isIPv6(bare.replace(/%.*$/, '')) ? bare : undefined;
}
