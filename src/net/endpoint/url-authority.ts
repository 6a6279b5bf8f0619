import { GrammarFault } from './fault.ts';
import { parseHostPort } from './host.ts';

/** Longer request targets are refused by most servers. */
const PATH_CHARACTERS = 2_000;

/**
 * `host[:port][/path]` of a URL, from `offset` of `text`. Written by hand because WHATWG's parser rewrites addresses (`127.1`,
 * `::ffff:192.0.2.1`) and knows no columns. A zone is refused: URLs have no agreed form for it (RFC 9844).
 */
export function parseAuthority(
  text: string,
  offset: number,
  options: { path: boolean },
): { host: string; port: number | undefined; path: string } {
  const scheme = text.slice(0, offset);
  const rest = text.slice(offset);
  const hash = rest.indexOf('#');
  if (hash >= 0) throw new GrammarFault(offset + hash, 'nothing after # is sent', 'it without the # part');
  const slash = rest.search(/[/?]/);
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const tail = slash < 0 ? '' : rest.slice(slash);
  const at = authority.lastIndexOf('@');
  if (at >= 0) {
    throw new GrammarFault(
      offset,
      'a user or password must not stand in an address, which is logged and shown',
      `${scheme}${authority.slice(at + 1)}${tail}`,
    );
  }
  const percent = authority.indexOf('%');
  if (percent >= 0) {
    throw new GrammarFault(
      offset + percent,
      'a URL cannot name a zone',
      'the host:port form: [fe80::1%eth0]:9989',
    );
  }
  const { host, port } = parseHostPort(authority, offset, { minPort: 1, bareIpv6: false });
  if (!options.path) {
    if (tail !== '' && tail !== '/') {
      throw new GrammarFault(offset + slash, 'no path belongs here', `${scheme}${authority}`);
    }
    return { host, port, path: '/' };
  }
  const path = tail === '' ? '/' : tail.startsWith('?') ? `/${tail}` : tail;
  const bad = /[^\x21-\x7e]/.exec(path);
  if (bad !== null) {
    throw new GrammarFault(
      offset + Math.max(0, slash) + bad.index,
      'this character cannot stand in a path as it is',
      encodeURI(bad[0].replace(/[\ud800-\udfff]/, '')) || 'it percent-encoded',
    );
  }
  if (path.length > PATH_CHARACTERS) {
    throw new GrammarFault(
      offset + slash,
      `the path is over ${PATH_CHARACTERS} characters`,
      'a shorter path',
    );
  }
  return { host, port, path };
}
