import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import ipaddr from 'ipaddr.js';
import { GrammarFault } from './fault.ts';

/** IFNAMSIZ is 16 with the closing zero, so no interface name is longer. */
const ZONE_CHARACTERS = 15;
/** RFC 1035 section 2.3.4. */
const LABEL_CHARACTERS = 63;
const NAME_CHARACTERS = 253;

const HOST_FORMS = 'a name, an IPv4 address, or an IPv6 address in brackets, such as [2001:db8::2]';

/** 4 or 6 for an address (6 also with a zone), 0 for a name. */
export function familyOf(host: string): 0 | 4 | 6 {
  if (isIPv4(host)) return 4;
  return isIPv6(host) ? 6 : 0;
}

/** The form of RFC 5952, IPv4-mapped addresses in mixed notation (section 5), the zone kept. */
export function printIpv6(address: string): string {
  const [plain = '', zone] = address.split('%', 2);
  const parsed = ipaddr.IPv6.parse(plain);
  const text = parsed.isIPv4MappedAddress()
    ? `::ffff:${parsed.toIPv4Address().toString()}`
    : parsed.toRFC5952String();
  return zone === undefined ? text : `${text}%${zone}`;
}

/** `host` as it stands before a colon and a port: IPv6 in brackets, always. */
export function printHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** `host:port`, with brackets around an IPv6 address. */
export function printHostPort(host: string, port: number): string {
  return `${printHost(host)}:${port}`;
}

/**
 * An IPv6 address, with or without zone, in its RFC 5952 form. A zone is an interface name or number, and belongs to link-local
 * addresses alone (RFC 4007 section 6).
 */
function parseIpv6(text: string, offset: number): string {
  const percent = text.indexOf('%');
  const plain = percent < 0 ? text : text.slice(0, percent);
  if (!isIPv6(plain)) {
    throw new GrammarFault(
      offset,
      'this is no IPv6 address',
      'eight groups, or fewer with one ::, such as 2001:db8::2',
    );
  }
  if (percent < 0) return printIpv6(plain);
  const zone = text.slice(percent + 1);
  const at = offset + percent + 1;
  if (zone === '') throw new GrammarFault(at, 'the zone after % is empty', `the interface: ${plain}%eth0`);
  if (zone.startsWith('25') && /^25[A-Za-z]/.test(zone)) {
    throw new GrammarFault(at, '%25 is the form of a URL', `the interface alone: ${plain}%${zone.slice(2)}`);
  }
  if (!/^[A-Za-z0-9._@-]+$/.test(zone) || zone.length > ZONE_CHARACTERS) {
    throw new GrammarFault(
      at,
      'this is no zone',
      `the name or number of an interface after %, such as ${plain}%eth0`,
    );
  }
  if (ipaddr.IPv6.parse(plain).range() !== 'linkLocal') {
    throw new GrammarFault(at - 1, 'only link-local addresses (fe80::/10) have a zone', plain);
  }
  return `${printIpv6(plain)}%${zone}`;
}

/** A name or an IPv4 address: names in lower case and as their ASCII form (RFC 5890), a closing dot kept. */
function parseNameOrIpv4(text: string, offset: number): string {
  if (text === '') throw new GrammarFault(offset, 'the host is empty', HOST_FORMS);
  if (isIPv4(text)) return text;
  const bad = /[^\p{L}\p{M}\p{N}._-]/u.exec(text);
  if (bad !== null) {
    const space = /\s/.test(bad[0]);
    throw new GrammarFault(
      offset + bad.index,
      space ? 'there is a space in it' : `no host has ${JSON.stringify(bad[0])} in it`,
      HOST_FORMS,
    );
  }

  const name = /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : domainToASCII(text);
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  const labels = bare.split('.');
  if (bare === '' || bare.length > NAME_CHARACTERS) {
    throw new GrammarFault(offset, `a name has 1 to ${NAME_CHARACTERS} characters`, HOST_FORMS);
  }
  // Resolvers read 127.1 or 0x7f.1 as addresses and disagree about which; nobody means a name by it.
  if (/^(\d+|0x[\da-f]*)$/.test(labels.at(-1) ?? '')) {
    throw new GrammarFault(offset, 'this is no IPv4 address', 'four numbers from 0 to 255: 192.0.2.10');
  }
  let at = offset;
  for (const label of labels) {
    if (!/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/.test(label) || label.length > LABEL_CHARACTERS) {
      throw new GrammarFault(
        at,
        label === ''
          ? 'two dots in a row, or one at the start'
          : `${JSON.stringify(label)} is no part of a name`,
        HOST_FORMS,
      );
    }
    at += label.length + 1;
  }
  return name;
}

/** What stands between two brackets, or the whole of an unbracketed host. */
export function parseHost(text: string, offset: number): string {
  return text.includes(':') || text.includes('%') ? parseIpv6(text, offset) : parseNameOrIpv4(text, offset);
}

/** A port in decimal; `min` 0 where the system may choose one. */
export function parsePort(text: string, offset: number, min: 0 | 1): number {
  const range = `a number from ${min} to 65535`;
  if (text === '') throw new GrammarFault(offset, 'the port after the colon is missing', range);
  if (!/^\d+$/.test(text)) throw new GrammarFault(offset, 'the port is not a number', range);
  const port = Number(text);
  if (port < min || port > 65_535)
    throw new GrammarFault(offset, `there is no port ${text.slice(0, 20)}`, range);
  return port;
}

/** `host`, `host:port`, `[v6]`, `[v6]:port`, bare `v6`, cut apart. `port` is undefined where the text has none. */
export function parseHostPort(
  text: string,
  offset: number,
  options: { minPort: 0 | 1; bareIpv6: boolean; usualPort?: number | undefined },
): { host: string; port: number | undefined } {
  const space = /\s/.exec(text);
  if (space !== null)
    throw new GrammarFault(offset + space.index, 'there is a space in it', 'it without spaces');
  if (text.startsWith('[')) return parseBracketed(text, offset, options.minPort);
  const closing = text.indexOf(']');
  if (closing >= 0) {
    throw new GrammarFault(offset + closing, 'this ] has no [', 'both brackets: [2001:db8::2]:9989');
  }
  const colons = text.split(':').length - 1;
  if (colons > 1) {
    if (!options.bareIpv6)
      throw new GrammarFault(offset, 'an IPv6 address needs brackets here', bracketed(text));
    return { host: parseBareIpv6(text, offset, options.usualPort), port: undefined };
  }
  const colon = text.indexOf(':');
  if (colon < 0) return { host: parseHost(text, offset), port: undefined };
  const host = parseNameOrIpv4(text.slice(0, colon), offset);
  return { host, port: parsePort(text.slice(colon + 1), offset + colon + 1, options.minPort) };
}

function parseBracketed(
  text: string,
  offset: number,
  minPort: 0 | 1,
): { host: string; port: number | undefined } {
  const close = text.indexOf(']');
  if (close < 0) throw new GrammarFault(offset, 'this [ is never closed', `${bracketed(text.slice(1))}`);
  const inner = text.slice(1, close);
  if (!inner.includes(':')) {
    throw new GrammarFault(offset, 'brackets are for IPv6 addresses', `${inner}${text.slice(close + 1)}`);
  }
  const host = parseIpv6(inner, offset + 1);
  const rest = text.slice(close + 1);
  if (rest === '') return { host, port: undefined };
  if (!rest.startsWith(':')) {
    throw new GrammarFault(offset + close + 1, 'only a colon and a port may follow ]', `[${inner}]:9989`);
  }
  return { host, port: parsePort(rest.slice(1), offset + close + 2, minPort) };
}

/**
 * A bare IPv6 address. Where its last group could as well be meant as a port (`::1:9989`), it is refused instead of guessed: three
 * digits and more, or the usual port, after what is an address by itself.
 */
function parseBareIpv6(text: string, offset: number, usualPort: number | undefined): string {
  const last = text.lastIndexOf(':');
  const head = text.slice(0, last);
  const tail = text.slice(last + 1);
  const portLike = /^[1-9]\d{2,4}$/.test(tail) || (usualPort !== undefined && tail === String(usualPort));
  if (portLike && isIPv6(head)) {
    if (!isIPv6(text)) {
      throw new GrammarFault(offset, 'an IPv6 address before a port needs brackets', `[${head}]:${tail}`);
    }
    throw new GrammarFault(
      offset + last,
      `${tail} may be a port or the last part of the address`,
      `[${head}]:${tail} or [${text}]`,
    );
  }
  if (!isIPv6(text.split('%')[0] ?? '') && isIPv6(head) && /^\d+$/.test(tail)) {
    throw new GrammarFault(offset, 'an IPv6 address before a port needs brackets', `[${head}]:${tail}`);
  }
  return parseIpv6(text, offset);
}

/** The nearest right form of an unbracketed or unclosed IPv6 address, for the error's hint. */
function bracketed(text: string): string {
  const last = text.lastIndexOf(':');
  const head = text.slice(0, last);
  const tail = text.slice(last + 1);
  if (isIPv6(head) && /^[1-9]\d{2,4}$/.test(tail)) return `[${head}]:${tail}`;
  return isIPv6(text) ? `[${text}]` : '[2001:db8::2]:9989';
}
