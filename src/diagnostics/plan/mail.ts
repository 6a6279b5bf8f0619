import { isLoopbackName } from '../../net/address-kind.ts';
import type { MasterFacts } from '../directory.ts';
import { mailSubject, statusSubject, type MailSubject, type StatusSubject } from '../far-subjects.ts';
import { placeOfService } from '../place-target.ts';
import type { TargetSubject } from '../subject.ts';
import type { Question } from './question.ts';

/** The public address of a master's pages and hooks (`url`), where its configuration has one. */
export function publicSubject(master: MasterFacts | undefined): StatusSubject[] {
  const url = master?.config?.url ?? null;
  if (master?.config === undefined || url === null) return [];
  const { listen, reach } = master.config;
  const subject = statusSubject(url, {
    source: `${master.shown}/master configuration: url`,
    own: {
      dir: master.shown,
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
