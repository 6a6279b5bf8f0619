import type { ChatSubject, MailSubject, SourceSubject, StatusSubject } from '../far-subjects.ts';
import type { ChatFacts } from '../facts/chat.ts';
import type { MailFacts, StatusFacts } from '../facts/mail.ts';
import type { PathFacts } from '../facts/paths.ts';
import type { HostKeyFact, NestedFacts, Reached, RepositoryFact } from '../facts/sources.ts';
import { placeOfService } from '../place-target.ts';
import { once } from '../asking.ts';
import type { TargetSubject } from '../subject.ts';
import { readChat } from './chat.ts';
import { readMail, readStatus } from './mail.ts';
import { readHostKeys } from './host-keys.ts';
import { sshPlaceOf } from './ssh-settings.ts';
import { readNested, readRepository, readRepositoryAt } from './sources.ts';

/** Doors to services that are no master: repositories, mail servers, web services that are told of builds. */
export interface FarProbes {
  /** What a repository says to git. */
  repository(source: SourceSubject): Promise<RepositoryFact>;
  /** What it says to git at one of its addresses alone; undefined where git cannot be held to one. */
  repositoryAt(source: SourceSubject, address: string): Promise<RepositoryFact | undefined>;
  /** Its host's ssh keys; undefined for what is not fetched over ssh. */
  hostKeys(source: SourceSubject): Promise<HostKeyFact | undefined>;
  /** What this host sees of a source's, where a worker tells what it sees (`--worker`); else undefined. */
  hereReach(source: SourceSubject): Promise<Reached | undefined>;
  /** Submodules and LFS, as far as a copy of the repository stands on this machine. */
  nested(source: SourceSubject): Promise<NestedFacts>;
  /** Every address of a mail server that connects, greeted. */
  mail(mail: MailSubject): Promise<MailFacts>;
  /** Every address of a chat server that connects, listened to. */
  chat(chat: ChatSubject): Promise<ChatFacts>;
  /** Every address of a web service that connects, asked with HEAD. */
  status(service: StatusSubject): Promise<StatusFacts>;
}

/** The real ones; each thing is asked once. `path` is the door of connections, so that only addresses that connect are spoken to. */
export function createFarProbes(options: {
  signal: AbortSignal;
  env: Readonly<Record<string, string | undefined>>;
  path: (target: TargetSubject) => Promise<PathFacts>;
}): FarProbes {
  const onceRepository = once<RepositoryFact>();
  const onceHostKeys = once<HostKeyFact | undefined>();
  const onceNested = once<NestedFacts>();
  const onceMail = once<MailFacts>();
  const onceStatus = once<StatusFacts>();
  const open = async (service: MailSubject | StatusSubject | ChatSubject) => {
    const { attempts } = await options.path(placeOfService(service));
    return attempts.filter(({ outcome }) => outcome === 'connected').map(({ address }) => address);
  };
  return {
    repository: (source) => onceRepository(source.text, () => readRepository(source, options)),
    // One check asks it, once for each family.
    repositoryAt: (source, address) => readRepositoryAt(source, address, options),
    hostKeys: (source) => {
      const place = source.url === null ? undefined : sshPlaceOf(source.url);
      return onceHostKeys(`${place?.host ?? ''} ${place?.port ?? ''}`, () => readHostKeys(source, options));
    },
    hereReach: async () => undefined,
    nested: (source) => onceNested(source.text, () => readNested(source, options)),
    mail: (mail) =>
      onceMail(`${mail.text} ${mail.tls}`, async () => {
        const addresses = await open(mail);
        const at = new Date().toISOString();
        return {
          at,
          addresses: await Promise.all(addresses.map((one) => readMail(mail, one, options.signal))),
        };
      }),
    // One check asks it, once for each.
    async chat(chat) {
      const addresses = await open(chat);
      const at = new Date().toISOString();
      const facts = addresses.map((one) => readChat(chat, one, options.signal));
      return { at, addresses: await Promise.all(facts) };
    },
    status: (service) =>
      onceStatus(service.text, async () => {
        const addresses = await open(service);
        const at = new Date().toISOString();
        const facts = addresses.map((one) => readStatus(service, one, options.signal));
        return { at, addresses: await Promise.all(facts) };
      }),
  };
}
