import { GrammarFault } from './fault.ts';
import { bindArguments, optionalInt, pythonInt, TwistedRefusal, type Bound } from './twisted-call.ts';
import { parseTwisted, type TwistedArgument, type TwistedEndpoint } from './twisted.ts';

/** What `serverFromString` of Twisted 22.4 makes of a text; nothing is bound and no file opened. */
export type TwistedServer =
  | {
      readonly kind: 'tcp' | 'ssl' | 'tcp6';
      readonly port: number;
      readonly portAt: number;
      /** Address to bind; empty: every IPv4 address. */
      readonly host: string;
      /** Where the address stands, null where none does. */
      readonly hostAt: number | null;
      /** Files of `ssl:` by the argument that names them. */
      readonly files: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'unix' | 'systemd' | 'stdio' | 'haproxy' };

/** Types that come as Twisted's plugins; Twisted reads their words in any case, those of its own in small letters only. */
export const PLUGIN_TYPES = ['tcp6', 'systemd', 'stdio', 'haproxy'] as const;

const SSL_FILES = ['privateKey', 'certKey', 'extraCertChain', 'dhParameters'] as const;
const SSL_ARGUMENTS = [
  ...['port', 'privateKey', 'certKey', 'sslmethod', 'interface', 'backlog'],
  ...['extraCertChain', 'dhParameters'],
];
/** What `sslmethod` may name: these of pyOpenSSL's module. */
const SSL_METHOD = /^(?:SSLv2|SSLv3|SSLv23|TLSv1|TLSv1_1|TLSv1_2|D?TLS|D?TLS_(?:CLIENT|SERVER))_METHOD$/;
/** `int(text, 8)`. */
const PYTHON_OCTAL = /^\s*[+-]?(0[oO]_?)?[0-7](_?[0-7])*\s*$/;

/** Reads a server's endpoint string. Throws TwistedRefusal where Twisted raises. */
export function parseTwistedServer(text: string): TwistedServer {
  const endpoint = tokens(text);
  switch (endpoint.kind) {
    case 'tcp': {
      const bound = bindArguments(endpoint, ['port', 'interface', 'backlog'], 1, ['factory']);
      return listening('tcp', bound);
    }
    case 'ssl': {
      const bound = bindArguments(endpoint, SSL_ARGUMENTS, 1, ['factory']);
      const method = bound.get('sslmethod');
      if (method !== undefined && !SSL_METHOD.test(method.value))
        throw new TwistedRefusal(
          'AttributeError',
          'sslmethod must be a method of pyOpenSSL such as TLS_METHOD',
          method.at,
        );
      return listening('ssl', bound);
    }
    case 'unix': {
      const bound = bindArguments(endpoint, ['address', 'mode', 'backlog', 'lockfile'], 1, ['factory']);
      const mode = bound.get('mode');
      if (mode !== undefined && !PYTHON_OCTAL.test(mode.value))
        throw new TwistedRefusal('ValueError', 'mode must be an octal number such as 660', mode.at);
      optionalInt(bound.get('backlog'), 'backlog');
      optionalInt(bound.get('lockfile'), 'lockfile');
      return { kind: 'unix' };
    }
  }
  const plugin = PLUGIN_TYPES.find((type) => type === endpoint.kind.toLowerCase());
  switch (plugin) {
    case 'tcp6': {
      const bound = bindArguments(endpoint, ['port', 'backlog', 'interface'], 1, ['self', 'reactor']);
      return listening('tcp6', bound);
    }
    case 'systemd': {
      const bound = bindArguments(endpoint, ['domain', 'index'], 2, ['self', 'reactor']);
      pythonInt(bound.get('index')!, 'index');
      return { kind: 'systemd' };
    }
    case 'stdio':
    case 'haproxy':
      return { kind: plugin };
    case undefined:
      throw new TwistedRefusal('ValueError', unknownType(endpoint.kind, ['tcp', 'ssl', 'unix']), 0);
  }
}

/** The parts of a text, with Twisted's own word for a text that has none to begin with. */
export function tokens(text: string): TwistedEndpoint {
  try {
    const endpoint = parseTwisted(text);
    if (endpoint.nameless === true)
      throw new TwistedRefusal('IndexError', 'no part says what kind it is, such as tcp:', 0);
    return endpoint;
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    throw new TwistedRefusal('RuntimeError', error.message, error.offset);
  }
}

export function unknownType(kind: string, known: readonly string[]): string {
  const lower = known.find((type) => type === kind.trim().toLowerCase());
  return lower === undefined
    ? `${JSON.stringify(kind)} is no kind of endpoint (${known.join(', ')})`
    : `${JSON.stringify(kind)} is no kind of endpoint; ${lower} is, in small letters and without spaces`;
}

function listening(kind: 'tcp' | 'ssl' | 'tcp6', bound: Bound): TwistedServer {
  const written: TwistedArgument = bound.get('port')!;
  const host = bound.get('interface');
  const files = SSL_FILES.flatMap((name) => {
    const file = bound.get(name);
    return file === undefined ? [] : [[name, file.value] as const];
  });
  const port = pythonInt(written, 'port');
  optionalInt(bound.get('backlog'), 'backlog');
  return {
    kind,
    port,
    portAt: written.at,
    host: host?.value ?? (kind === 'tcp6' ? '::' : ''),
    hostAt: host?.at ?? null,
    files: new Map(files),
  };
}
