import { isIP } from 'node:net';
import { kindOf } from '../../../src/net/address-kind.ts';
import type { Case } from './recorded.ts';

const TELLS_NOTHING = ['loopback', 'unspecified', 'multicast', 'documentation'];

/** What a recorded case says of the place where it happened, in the form in which names are found. */
export function placeOf({ subjects, ...facts }: Case) {
  return { plan: { subjects, vantage: 'here' as const }, facts: [{ facts }] };
}

/** Texts of a case that a stranger must not see: addresses of somebody, names of hosts, keys, paths of people. */
export function tellingTexts(given: Case): string[] {
  const texts = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value === 'string') for (const text of tellingIn(value)) texts.add(text);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk);
  };
  walk(given);
  return [...texts];
}

function tellingIn(text: string): string[] {
  const words = text.split(/[\s,;"'()[\]]+/).map((word) => word.replace(/%.*$/, ''));
  return words.filter((word) => {
    // The well-known prefix of RFC 6052 is nobody's, nor is ::1 with a port; what is short may well be somebody's stand-in.
    if (isIP(word) !== 0)
      return !TELLS_NOTHING.includes(kindOf(word)) && word.length > 7 && !/^(64:ff9b::$|::)/.test(word);
    if (/^[a-z][a-z\d-]*(\.[a-z][a-z\d-]*)*\.(example|test|corp)$/.test(word)) return true;
    return /^sha256:\w{20,}/.test(word) || /^\/(home|srv)\/\w+/.test(word);
  });
}
