import { isIP } from 'node:net';
import { isWithin } from '../../net/address-kind.ts';
import type { FilterQuestion } from '../facts/packet-filter.ts';
import type { Ruleset } from './nft-ruleset.ts';

/** Whether a packet fits; `maybe` where that depends on what is not known of it, or on words that are not read here. */
export type Fit = 'yes' | 'no' | 'maybe';

/** What is known of a packet in the place that an expression names: values of which any will do, one of some, or that the packet has no such header. */
type Known =
  | { readonly values: readonly (string | number)[] }
  | { readonly either: readonly string[] }
  | 'absent'
  | 'an interface'
  | 'unknown';

/** Whether the first packet of the connection fits a `match` of a rule. */
export function fits(value: unknown, question: FilterQuestion, scope: Scope): Fit {
  if (!isObject(value)) return 'maybe';
  const { op, left, right } = value;
  if (op !== '==' && op !== '!=' && op !== 'in') return 'maybe';
  const known = knownOf(left, question, scope);
  const fit = among(known, right, scope);
  // A header that is not there has no value, which is no other value either.
  return op === '!=' && known !== 'absent' ? opposite(fit) : fit;
}

/** Where named sets are looked up. */
export interface Scope {
  readonly ruleset: Ruleset;
  /** `inet filter`. */
  readonly table: string;
}

/** Whether what is known of a packet stands among the values of a match, or is one of the keys of a map. */
export function among(known: Known, wanted: unknown, scope: Scope): Fit {
  if (known === 'absent') return 'no';
  if (known === 'unknown') return 'maybe';
  if (typeof known === 'object' && 'either' in known) {
    const [first = 'maybe', ...others] = known.either.map((one) => among({ values: [one] }, wanted, scope));
    return others.every((fit) => fit === first) ? first : 'maybe';
  }
  if (typeof wanted === 'string' && wanted.startsWith('@')) {
    const elements = scope.ruleset.sets.get(`${scope.table} ${wanted.slice(1)}`);
    return elements === undefined ? 'maybe' : among(known, elements, scope);
  }
  if (Array.isArray(wanted)) return anyOf(wanted.map((one) => among(known, one, scope)));
  if (isObject(wanted)) {
    if (Array.isArray(wanted['set'])) return among(known, wanted['set'], scope);
    // An element with a timeout or a comment of its own.
    if (isObject(wanted['elem'])) return among(known, wanted['elem']['val'], scope);
  }
  // The names of interfaces are not looked up: this one is none of loopback, and more is not said.
  if (known === 'an interface') return wanted === 'lo' ? 'no' : 'maybe';
  return anyOf(known.values.map((value) => equals(value, wanted)));
}

function equals(value: string | number, wanted: unknown): Fit {
  const yes = (is: boolean): Fit => (is ? 'yes' : 'no');
  if (typeof value === 'number') {
    if (typeof wanted === 'number') return yes(value === wanted);
    const range: unknown = isObject(wanted) ? wanted['range'] : undefined;
    if (!Array.isArray(range)) return 'maybe';
    const [from, to] = range as unknown[];
    return typeof from === 'number' && typeof to === 'number' ? yes(value >= from && value <= to) : 'maybe';
  }
  if (isIP(value) === 0) return typeof wanted === 'string' ? yes(value === wanted) : 'maybe';
  if (typeof wanted === 'string') return inPrefix(value, wanted, undefined);
  const prefix: unknown = isObject(wanted) ? wanted['prefix'] : undefined;
  return isObject(prefix) ? inPrefix(value, prefix['addr'], prefix['len']) : 'maybe';
}

/** What nft's expression is of the packet. */
export function knownOf(left: unknown, question: FilterQuestion, { ruleset }: Scope): Known {
  if (!isObject(left)) return 'unknown';
  const { payload, meta, ct } = left;
  if (isObject(payload)) return ofPayload(payload['protocol'], payload['field'], question);
  if (isObject(ct)) {
    if (ct['key'] !== 'state') return 'unknown';
    return ruleset.untracks ? { either: ['new', 'untracked'] } : { values: ['new'] };
  }
  const six = question.family === 6;
  switch (isObject(meta) ? meta['key'] : undefined) {
    case 'l4proto':
      return { values: ['tcp'] };
    case 'nfproto':
      return { values: [six ? 'ipv6' : 'ipv4'] };
    case 'protocol':
      return { values: [six ? 'ip6' : 'ip'] };
    case 'pkttype':
      return { values: ['host', 'unicast'] };
    case 'iif':
    case 'iifname':
      return question.hook === 'input' ? 'an interface' : 'unknown';
    case 'oif':
    case 'oifname':
      return question.hook === 'output' ? 'an interface' : 'unknown';
    default:
      return 'unknown';
  }
}

function ofPayload(protocol: unknown, field: unknown, { family, port, address }: FilterQuestion): Known {
  switch (protocol) {
    case 'tcp':
    case 'th':
      return field === 'dport' ? { values: [port] } : 'unknown';
    case 'ip':
    case 'ip6':
      if ((protocol === 'ip6') !== (family === 6)) return 'absent';
      if (field === 'protocol' || field === 'nexthdr') return { values: ['tcp'] };
      return field === 'daddr' && address !== null ? { values: [address] } : 'unknown';
    case 'udp':
    case 'icmp':
    case 'icmpv6':
    case 'sctp':
    case 'igmp':
      return 'absent';
    default:
      return 'unknown';
  }
}

function inPrefix(address: string, addr: unknown, len: unknown): Fit {
  if (typeof addr !== 'string' || isIP(addr) === 0) return 'maybe';
  return isWithin(address, addr, typeof len === 'number' ? len : isIP(addr) === 6 ? 128 : 32) ? 'yes' : 'no';
}

function anyOf(all: readonly Fit[]): Fit {
  return all.includes('yes') ? 'yes' : all.includes('maybe') ? 'maybe' : 'no';
}

function opposite(fit: Fit): Fit {
  return fit === 'maybe' ? 'maybe' : fit === 'yes' ? 'no' : 'yes';
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
