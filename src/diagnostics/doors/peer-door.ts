import type { Route } from '../../net/dial.ts';
import type { Hop } from '../../net/endpoint/hop.ts';
import type { TargetSubject } from '../subject.ts';

/** A peer that has not spoken by then is silent: a stock master with Perspective Broker waits this long for a client's first word. */
export const SILENCE_MS = 3_000;

export interface PeerDoor {
  /** Words of `hello`, `bbx/0.1.0 doctor`. */
  software: string;
  signal: AbortSignal;
  /** Hops on the way. */
  via?: readonly Hop[];
  env?: Readonly<Record<string, string | undefined>>;
  /** The worker path of a web port, and the name that its certificate must be for. */
  web?: { secure: boolean; path: string; name: string };
}

/** What a check of this target hands to who speaks to it. */
export function doorOf(
  target: TargetSubject,
  { software, signal, env }: Pick<PeerDoor, 'software' | 'signal' | 'env'>,
): PeerDoor {
  return {
    software,
    signal,
    ...(env === undefined ? {} : { env }),
    ...(target.via === undefined ? {} : { via: target.via }),
    ...(target.web === undefined ? {} : { web: { ...target.web, name: target.host } }),
  };
}

/** The way to a master at one literal address, whatever key it shows. */
export function routeTo(address: string, port: number, { via = [], web }: PeerDoor): Route {
  const tls = { firstContact: true };
  if (web === undefined) return { to: { kind: 'tcp', host: address, port }, via, tls };
  const { secure, path, name } = web;
  return {
    to: { kind: 'web-socket', secure, host: address, port, path },
    via,
    tls,
    web: { servername: name },
  };
}
