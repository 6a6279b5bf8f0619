import { printHostPort } from '../net/endpoint/host.ts';
import type { ChatSubject, MailSubject, StatusSubject } from './far-subjects.ts';
import type { TargetSubject } from './subject.ts';

/** Somewhere that others than bbx listen, for the checks of names and connections. */
export function placeTarget(host: string, port: number, source: string): TargetSubject {
  return {
    kind: 'target',
    text: printHostPort(host, port),
    host,
    port,
    protocol: 'tcp',
    plane: 'other',
    pins: [],
    source,
  };
}

/** The host of a mail server or web service, for the checks of names and connections. */
export function placeOfService({
  host,
  port,
  source,
}: MailSubject | StatusSubject | ChatSubject): TargetSubject {
  return placeTarget(host, port, source);
}
