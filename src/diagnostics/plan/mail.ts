import { kindOf } from '../../net/address-kind.ts';
import { familyOf, printHostPort } from '../../net/endpoint/host.ts';
import type { MasterFacts } from '../directory.ts';
import type { ChatSubject, MailSubject, StatusSubject } from '../far-subjects.ts';
import type { Question } from './question.ts';
import type { TargetSubject } from '../subject.ts';
import { placeTarget } from './targets.ts';

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

/** The public address of a master's pages and hooks (`url`), where its configuration has one. */
export function publicSubject(master: MasterFacts | undefined): StatusSubject[] {
  const url = master?.config?.url ?? null;
  if (master?.config === undefined || url === null) return [];
  const { listen, reach } = master.config;
  const subject = statusSubject(url, {
    source: `${master.shown}/master configuration: url`,
    own: {
      isServed: listen.web.length > 0,
      web: listen.web.flatMap((address) =>
        address.kind === 'tcp' && address.port !== 0 ? [{ host: address.host, port: address.port }] : [],
      ),
      running: master.running,
      isFarAway: reach.some((address) => address.kind !== 'unix' && !isLoopbackName(address.host)),
    },
  });
  return subject === undefined ? [] : [subject];
}

/** `localhost` and what is below it (RFC 6761 section 6.3), or a loopback address. */
export function isLoopbackName(host: string): boolean {
  return /^(.*\.)?localhost\.?$/i.test(host) || kindOf(host) === 'loopback';
}

/** What `doctor mail` names: a mail server, or web services by their URLs. */
export function mailSubjects({
  target,
  urls = [],
}: Question): (MailSubject | StatusSubject | TargetSubject)[] {
  const source = 'command line';
  const mail = target?.kind === 'tcp' ? [mailSubject({ host: target.host, port: target.port, source })] : [];
  const services = urls.flatMap((url) => statusSubject(url, { source }) ?? []);
  return [...mail, ...services, ...services.map(placeOfService)];
}

/** The host of a mail server or web service, for the checks of names and connections. */
export function placeOfService({
  host,
  port,
  source,
}: MailSubject | StatusSubject | ChatSubject): TargetSubject {
  return placeTarget(host, port, source);
}
