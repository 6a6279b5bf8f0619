import { familyOf, printHostPort } from '../net/endpoint/host.ts';
import type { SshWay } from './facts/sources.ts';

/** A place that builds fetch from: a repository, or a host of a builder's `needs`. */
export interface SourceSubject {
  readonly kind: 'source';
  /** As people know it, without a password. */
  readonly text: string;
  readonly what: 'repository' | 'download';
  /** For git, as it was written; null: nothing for git. */
  readonly url: string | null;
  /** Where one connects to. null: a path of this machine, a text that cannot be read, or ssh goes through another host. */
  readonly host: string | null;
  readonly port: number | null;
  /** Where ssh's configuration leads, if that is elsewhere than the URL says. */
  readonly ssh: SshWay | null;
  /** What is wrong with the text, and what to write instead. */
  readonly problem: string | null;
  readonly write: string | null;
  /** Builders that fetch from it. */
  readonly builders: readonly string[];
  /** The configuration has a login for it, which the doctor does not use. */
  readonly credentials: boolean;
  /** Directories of this machine that hold a copy: checkouts, or the poller's mirror. */
  readonly copies: readonly string[];
  readonly source: string;
}

/** A mail server that something of the farm sends through. */
export interface MailSubject {
  readonly kind: 'mail';
  readonly text: string;
  readonly host: string;
  readonly port: number;
  /** `offered`: TLS where the server offers it; `starttls`: it must; `tls`: from the first byte; `none`: never. */
  readonly tls: 'offered' | 'starttls' | 'tls' | 'none';
  /** Somebody logs in there; the doctor never does. */
  readonly user: boolean;
  /** Who connects: stock Buildbot's mail looks up A records alone. */
  readonly client: 'any' | 'twisted';
  readonly source: string;
}

/** A web service that is told of builds, by the base address of its API. */
export interface StatusSubject {
  readonly kind: 'status';
  /** Without login and query. */
  readonly text: string;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly client: 'any' | 'twisted';
  /** Set where it is no service of others, but the farm's own public address: how its master serves it. */
  readonly own?: OwnPages;
  readonly source: string;
}

/** How a master serves its pages, and who is to see them. */
export interface OwnPages {
  /** The master's directory, as people would type it. */
  readonly dir: string;
  /** `listen.web` has an address. */
  readonly isServed: boolean;
  /** Those of its addresses whose port is known: of port 0 only the running master knows which it became. */
  readonly web: readonly { readonly host: string; readonly port: number }[];
  readonly running: boolean;
  /** Workers are told to come from other hosts, so people do as well. */
  readonly isFarAway: boolean;
}

/** A chat server (IRC) that stock Buildbot joins. */
export interface ChatSubject {
  readonly kind: 'chat';
  readonly text: string;
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. */
  readonly secure: boolean;
  readonly source: string;
}

/** Mail over TLS from the first byte (RFC 8314). */
const SECURE_PORT = 465;

/** A mail server of a configuration or of the command line. What stock Buildbot sends by itself is `client: 'twisted'`. */
export function mailSubject(
  place: Pick<MailSubject, 'host' | 'port' | 'source'> &
    Partial<Pick<MailSubject, 'tls' | 'user' | 'client'>>,
): MailSubject {
  return {
    kind: 'mail',
    text: printHostPort(place.host, place.port),
    tls: place.port === SECURE_PORT ? 'tls' : 'offered',
    user: false,
    client: 'any',
    ...place,
  };
}

/** A chat server of a configuration. */
export function chatSubject(place: Pick<ChatSubject, 'host' | 'port' | 'secure' | 'source'>): ChatSubject {
  return { kind: 'chat', text: printHostPort(place.host, place.port), ...place };
}

/** The base address of a service's API; undefined for what is no http or https URL. A login and a query in it are left out. */
export function statusSubject(
  url: string,
  more: Pick<StatusSubject, 'source'> & Partial<Pick<StatusSubject, 'client' | 'own'>>,
): StatusSubject | undefined {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  const { protocol, hostname, port, pathname } = new URL(url);
  const secure = protocol === 'https:';
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    kind: 'status',
    text: `${protocol}//${familyOf(host) === 6 ? `[${host}]` : host}${port === '' ? '' : `:${port}`}${pathname}`,
    secure,
    host,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    path: pathname,
    client: 'any',
    ...more,
  };
}
