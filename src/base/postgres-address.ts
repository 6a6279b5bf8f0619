/** A PostgreSQL database and the way to it, as `postgres://…` names them (libpq's form, with the options below). */
export interface PostgresAddress {
  /** Asked in this order for the one that takes writes. A host that begins with `/` is the directory of a unix socket. */
  hosts: readonly { host: string; port: number }[];
  /** Undefined: the user of the process. */
  user: string | undefined;
  /** Undefined: called as the user. */
  database: string | undefined;
  /** Undefined: none on this machine, `verify-full` to another. */
  tls: 'disable' | 'require' | 'verify-ca' | 'verify-full' | undefined;
  /** Files: the certificates that are trusted, and the client's own. */
  ca: string | undefined;
  certificate: string | undefined;
  key: string | undefined;
  /** File with the password. */
  passwordFile: string | undefined;
  /** The schema that holds the tables; undefined: the user's usual one. */
  schema: string | undefined;
}

const DEFAULT_PORT = 5432;
const TLS = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
const OPTIONS = ['host', 'port', 'password', 'schema', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

/** Whether an address of a store is meant to be PostgreSQL's. */
export function isPostgres(text: string): boolean {
  return /^postgres(ql)?:/.test(text);
}

/**
 * Parses `postgres://user@host:port,host:port/database?option=value`: IPv6 addresses in brackets, a socket's directory as `%2Frun%2Fpg` or
 * `?host=/run/pg`. A password in it is a problem, since addresses are shown to everybody. Gives what is wrong as a sentence.
 */
export function parsePostgresAddress(text: string): PostgresAddress | { problem: string } {
  const form = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^?#]*))?$/.exec(text);
  if (form === null) return { problem: 'it is not of the form postgres://user@host/database' };
  const [, login, authority = '', path, query = ''] = form;
  if (login?.includes(':') === true) return { problem: 'it holds a password' };

  const options = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!OPTIONS.includes(name)) return { problem: `it has no option "${name}" (${OPTIONS.join(', ')})` };
    options.set(name, value);
  }
  const password = options.get('password');
  if (password !== undefined && !/^@./.test(password)) {
    return { problem: 'its option password names a file: password=@secrets/store' };
  }
  const tls = TLS.find((mode) => mode === options.get('sslmode'));
  if (tls === undefined && options.has('sslmode')) {
    return { problem: `its option sslmode is one of ${TLS.join(', ')}` };
  }

  const hosts: { host: string; port: number }[] = [];
  const named = authority === '' ? (options.get('host') ?? '/var/run/postgresql') : authority;
  for (const one of named.split(',')) {
    const parts = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(one);
    // A zone's percent sign is written as it is, or as RFC 6874 has it.
    const host = parts?.[1]?.replace('%25', '%') ?? decoded(parts?.[2]);
    const port = Number(parts?.[3] ?? options.get('port') ?? DEFAULT_PORT);
    if (host === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) {
      return {
        problem: `"${one}" in it is not a host, [IPv6 address] or socket's directory, with or without a port`,
      };
    }
    hosts.push({ host, port });
  }
  const user = login === undefined || login === '' ? undefined : decoded(login);
  const database = path === undefined || path === '' ? undefined : decoded(path);
  if ((login ?? '') !== '' && user === undefined) return { problem: 'its user is not written soundly' };
  if ((path ?? '') !== '' && database === undefined)
    return { problem: 'its database is not written soundly' };
  return {
    hosts,
    user,
    database,
    tls,
    ca: options.get('sslrootcert'),
    certificate: options.get('sslcert'),
    key: options.get('sslkey'),
    passwordFile: password?.slice(1),
    schema: options.get('schema'),
  };
}

/** The database and the way to it, without options: for people, and as an address again. */
export function printPostgresAddress(address: PostgresAddress): string {
  const { user, hosts, database } = address;
  const where = hosts.map(({ host, port }) => {
    // A socket's directory may have colons in its name, too.
    const address = host.includes(':') && !host.startsWith('/');
    const shown = address ? `[${host}]` : encodeURIComponent(host);
    return port === DEFAULT_PORT ? shown : `${shown}:${port}`;
  });
  const login = user === undefined ? '' : `${encodeURIComponent(user)}@`;
  return `postgres://${login}${where.join(',')}/${encodeURIComponent(database ?? '')}`;
}

/** The text without its percent signs; undefined when it is none, or has a zero byte in it. */
function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const plain = decodeURIComponent(text);
    return plain === '' || plain.includes('\0') ? undefined : plain;
  } catch {
    return undefined;
  }
}
