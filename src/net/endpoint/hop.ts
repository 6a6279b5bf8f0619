import { didYouMean } from '../../base/did-you-mean.ts';
import { codes } from './codes.ts';
import { describeFault, GrammarFault } from './fault.ts';
import { parseHostPort, printHost, printHostPort } from './host.ts';
import { parseAuthority } from './url-authority.ts';

/** One stage of a route on the way to an address. `user` is undefined where ssh's own configuration decides. */
export type Hop =
  | { kind: 'ssh'; user: string | undefined; host: string; port: number | undefined }
  | { kind: 'socks5'; host: string; port: number }
  | { kind: 'http'; secure: boolean; host: string; port: number }
  | { kind: 'relay'; host: string; port: number; path: string };

const FORMS = 'ssh:user@host, socks5://host:1080, http://proxy:3128 or relay://host/path';
const USUAL_PORTS = { socks5: 1080, http: 80, https: 443, relay: 443 } as const;
const SCHEMES = ['ssh', ...Object.keys(USUAL_PORTS)];

/**
 * Reads `ssh:[user@]host[:port]` (or `ssh://…`), `socks5://host[:port]`, `http://proxy[:port]`, `https://…`, `relay://host[:port][/path]`.
 * @throws BbxError BBX-NET-HOP with the column, what is wrong there, and the right form
 */
export function parseHop(text: string): Hop {
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    throw codes['BBX-NET-HOP'](describeFault(text, error));
  }
}

function read(text: string): Hop {
  if (text === '') throw new GrammarFault(0, 'it is empty', FORMS);
  const ssh = /^ssh:(\/\/)?/i.exec(text);
  if (ssh !== null) return readSsh(text, ssh[0].length);
  const match = /^([a-z][a-z0-9+.-]*):(\/\/)?/i.exec(text);
  const scheme = match?.[1]?.toLowerCase() ?? '';
  if (match === null || !SCHEMES.includes(scheme)) {
    const near = scheme === '' ? undefined : didYouMean(scheme, SCHEMES);
    const question = near === undefined ? '' : `; did you mean ${near}?`;
    throw new GrammarFault(0, `no kind of hop starts like this${question}`, FORMS);
  }
  if (match[2] === undefined) {
    throw new GrammarFault(
      match[0].length,
      `two slashes are missing`,
      `${scheme}://${text.slice(match[0].length)}`,
    );
  }
  const kind = scheme as keyof typeof USUAL_PORTS;
  const { host, port, path } = parseAuthority(text, match[0].length, { path: kind === 'relay' });
  const where = { host, port: port ?? USUAL_PORTS[kind] };
  switch (kind) {
    case 'socks5':
      return { kind, ...where };
    case 'http':
    case 'https':
      return { kind: 'http', secure: kind === 'https', ...where };
    case 'relay':
      return { kind, ...where, path };
  }
}

function readSsh(text: string, offset: number): Hop {
  const at = text.indexOf('@', offset);
  const user = at < 0 ? undefined : text.slice(offset, at);
  // What ssh would read as an option, or as another host, must not pass for a user.
  if (user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9._+-]*$/.test(user)) {
    const password = user.includes(':');
    throw new GrammarFault(
      offset,
      password ? 'a password must not stand in an address' : 'this is no name of a user',
      'ssh:user@host; ssh finds keys by itself',
    );
  }
  const start = at < 0 ? offset : at + 1;
  const rest = text.slice(start).replace(/\/$/, '');
  const { host, port } = parseHostPort(rest, start, { minPort: 1, bareIpv6: true, usualPort: 22 });
  return { kind: 'ssh', user, host, port };
}

/** The one form in output, which `parseHop` reads back to the same value. */
export function printHop(hop: Hop): string {
  switch (hop.kind) {
    case 'ssh': {
      const where = hop.port === undefined ? printHost(hop.host) : printHostPort(hop.host, hop.port);
      return `ssh:${hop.user === undefined ? '' : `${hop.user}@`}${where}`;
    }
    case 'socks5':
      return `socks5://${printHostPort(hop.host, hop.port)}`;
    case 'http':
      return `http${hop.secure ? 's' : ''}://${printHostPort(hop.host, hop.port)}`;
    case 'relay':
      return `relay://${printHostPort(hop.host, hop.port)}${hop.path}`;
  }
}
