import { isIPv6 } from 'node:net';
import { escapeTwisted } from '../../net/endpoint/twisted.ts';

/** What a wrong endpoint string must have meant, as far as its characters tell; for the line that is advised. */

/** The IPv6 address in an endpoint string, however it is escaped or bracketed. */
export function meantAddress(text: string): string | undefined {
  const plain = text.replaceAll('\\', '');
  const [, behind = ''] = /(?:interface|host)=(.*)$/is.exec(plain) ?? [];
  const [, bracketed = ''] = /\[([^\]]*)\]/.exec(plain) ?? [];
  const named = behind.replace(/:(?=[a-z]+=).*$/is, '');
  const bare = plain
    .replace(/^[a-z\d]+:/i, '')
    .replace(/:(?=[a-z]+=).*$/is, '')
    .replace(/:\d{2,5}$/, '');
  return [named, bracketed, bare].find((candidate) => isIPv6(candidate.replace(/%.*$/, '')));
}

/** The port in an endpoint string: of its numbers between colons the one with the most digits. */
export function meantPort(text: string): number | undefined {
  const plain = text.replaceAll('\\', '').replaceAll(/\[[^\]]*\]/g, '');
  const named = /port=\s*(\d{1,5})\s*(?=:|$)/i.exec(plain)?.[1];
  const numbers = [...plain.matchAll(/(?<=^|:)\s*(\d{1,5})\s*(?=:|$)/g)].map(([, digits = '']) => digits);
  const [longest] = numbers.sort((a, b) => b.length - a.length);
  const port = Number(named ?? longest);
  return Number.isInteger(port) && port <= 65_535 ? port : undefined;
}

/** `tcp:9989:interface=\:\:`: what every Twisted takes, for every address of both families. */
export function rightServer(text: string, fallback = 9989): string {
  const kind = /^\s*ssl\b/i.test(text) ? 'ssl' : 'tcp';
  const rest = [
    ...text.matchAll(/:((?:privateKey|certKey|extraCertChain|dhParameters|backlog)=(?:\\.|[^:\\])*)/g),
  ]
    .map(([, argument = '']) => `:${argument}`)
    .join('');
  const address = meantAddress(text) ?? '::';
  return `${kind}:${meantPort(text) ?? fallback}${rest}:interface=${escapeTwisted(address)}`;
}

/** `tcp:host=2001\:db8\:\:2:port=9989`; undefined where no address can be made out. */
export function rightClient(text: string): string | undefined {
  const address = meantAddress(text);
  const port = meantPort(text);
  if (address === undefined || port === undefined) return undefined;
  return `tcp:host=${escapeTwisted(address)}:port=${port}`;
}
