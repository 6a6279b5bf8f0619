import { isIPv6 } from 'node:net';
import { parseHost } from './host.ts';
import { GrammarFault } from './fault.ts';

/** Ports by scheme, of the systems that people fetch sources with. */
const PORTS: Readonly<Record<string, number>> = {
  https: 443,
  http: 80,
  ssh: 22,
  'git+ssh': 22,
  'ssh+git': 22,
  git: 9418,
  svn: 3690,
  'svn+ssh': 22,
  ftp: 21,
  ftps: 990,
  hg: 443,
  bzr: 4155,
  rsync: 873,
};

/** Where a repository stands, by its URL. */
export type RepositoryPlace =
  /** A path of this machine. */
  | { readonly kind: 'local' }
  /** `host` without brackets. */
  | { readonly kind: 'remote'; readonly scheme: string; readonly host: string; readonly port: number }
  | { readonly kind: 'fault'; readonly problem: string; readonly write: string | null };

/**
 * Reads the URL of a repository as git, curl and ssh would, and says what none of them can use: addresses without brackets, zones, a
 * path where a port stands.
 */
export function parseRepository(text: string): RepositoryPlace {
  const url = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#]*)@)?([^/?#]*)(.*)$/i.exec(text);
  if (url === null) return readShort(text);
  const [, written = '', user, authority = '', rest = ''] = url;
  const scheme = written.toLowerCase();
  if (scheme === 'file') return { kind: 'local' };
  const before = `${written}://${user === undefined ? '' : `${user}@`}`;
  const port = PORTS[scheme];
  const bare = bareIpv6(authority);
  if (bare !== undefined)
    return fault(
      `the IPv6 address ${bare.address} has no brackets`,
      `${before}[${bare.address}]${bare.port}${rest}`,
    );
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(authority);
  const host = parts?.[1] ?? '';
  const digits = parts?.[2];
  if (host === '') return fault('it names no host', null);
  if (digits !== undefined && digits !== '' && !/^\d{1,5}$/.test(digits))
    return fault(
      `"${digits}" is no port; behind "://" a path begins with "/"`,
      `${before}${host}/${digits.replace(/^\/+/, '')}${rest}`,
    );
  if (Number(digits) > 65_535) return fault(`${digits} is no port`, null);
  return remote(host, digits === undefined || digits === '' ? port : Number(digits), scheme);
}

/** git's own short form for ssh, `user@host:path`; the first colon ends the host. */
function readShort(text: string): RepositoryPlace {
  if (/^[/.~]/.test(text)) return { kind: 'local' };
  const user = /^([^@/:[\]]+@)?(.*)$/s.exec(text);
  const [, before = '', rest = ''] = user ?? [];
  const bracketed = /^(\[[^\]]*\]):(.*)$/.exec(rest);
  if (bracketed !== null) return remote(bracketed[1] ?? '', 22, 'ssh');
  // `git@2001:db8::2:project`: everything behind the first colon would be the path.
  const six = /^([\da-f]{0,4}(?::[\da-f]{0,4}){2,}?):(?!:)([^:]*[^\da-f:].*)$/i.exec(rest);
  if (six?.[1] !== undefined && isIPv6(six[1]))
    return fault(
      `the IPv6 address ${six[1]} has no brackets, so that git takes "${rest.split(':')[0] ?? ''}" for the host`,
      `${before}[${six[1]}]:${six[2] ?? ''}`,
    );
  const short = /^([^:/]+):(.*)$/.exec(rest);
  return short?.[1] === undefined ? { kind: 'local' } : remote(short[1], 22, 'ssh');
}

function remote(written: string, port: number | undefined, scheme: string): RepositoryPlace {
  const inside = /^\[(.*)\]$/.exec(written)?.[1];
  const host = inside ?? written;
  if (host.includes('%'))
    return fault(
      `the zone in ${written} names an interface of one machine; other machines have other ones`,
      null,
    );
  if (inside !== undefined && !isIPv6(inside)) return fault(`${written} is no IPv6 address`, null);
  if (port === undefined) return fault(`the port of ${scheme}:// is not known`, null);
  try {
    return { kind: 'remote', scheme, host: inside ?? parseHost(host, 0), port };
  } catch (error) {
    if (!(error instanceof GrammarFault)) throw error;
    return fault(`${JSON.stringify(host)} is no host: ${error.message}`, null);
  }
}

/** An address that is none of a host and a port, with the port behind it where only that can be one. */
function bareIpv6(authority: string): { address: string; port: string } | undefined {
  if (authority.startsWith('[') || (authority.match(/:/g) ?? []).length < 2) return undefined;
  if (isIPv6(authority)) return { address: authority, port: '' };
  const parts = /^(.*):(\d{1,5})$/.exec(authority);
  return parts?.[1] !== undefined && isIPv6(parts[1])
    ? { address: parts[1], port: `:${parts[2]}` }
    : undefined;
}

function fault(problem: string, write: string | null): RepositoryPlace {
  return { kind: 'fault', problem, write };
}
