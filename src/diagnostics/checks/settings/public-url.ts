import { isLoopbackName, kindOf } from '../../../net/address-kind.ts';
import { familyOf } from '../../../net/endpoint/host.ts';
import {
  defineCheck,
  found,
  nothing,
  skip,
  type CheckContext,
  type Draft,
  type Judgement,
} from '../../check.ts';
import { attemptEvidence, dirFlag, evidence } from '../../evidence.ts';
import type { StatusSubject } from '../../far-subjects.ts';
import { candidates } from '../../facts/names.ts';
import type { PathFacts } from '../../facts/paths.ts';
import { placeOfService } from '../../place-target.ts';

interface Facts {
  readonly at: string;
  /** All addresses of the URL's host are this host's own. */
  readonly isHere: boolean;
  readonly addresses: readonly string[];
  /** Connections there; undefined where it leads elsewhere, or to a port of the master's own. */
  readonly path: PathFacts | undefined;
}

export const cfg04 = defineCheck<'status', Facts>({
  id: 'CFG-04',
  title: "the farm's public address leads to its web port",
  about: 'status',
  topics: ['config', 'mail', 'listen'],
  needs: [],
  gather,
  judge: judgeUrl,
});

async function gather(context: CheckContext, service: StatusSubject): Promise<Facts> {
  const [host, name] = await Promise.all([context.probes.host(), context.probes.name(service.host)]);
  const addresses = candidates(name);
  const own = new Set(host.addresses.map(({ address }) => address));
  const isHere =
    isLoopbackName(service.host) || (addresses.length > 0 && addresses.every((address) => own.has(address)));
  const isServed = service.own?.web.some(({ port }) => port === service.port) === true;
  return {
    at: host.at,
    isHere,
    addresses,
    path: isHere && !isServed ? await context.probes.path(placeOfService(service)) : undefined,
  };
}

function judgeUrl({ at, isHere, addresses, path }: Facts, service: StatusSubject): Judgement {
  const { own, text, port, secure } = service;
  if (own === undefined) return skip('it is a service of others');
  const listens = own.web
    .map(({ host, port: at }) => `${familyOf(host) === 6 ? `[${host}]` : host}:${at}`)
    .join(', ');
  const draft = (
    status: Draft['status'],
    title: string,
    fix: Draft['fix'],
    more: Draft['evidence'] = [],
  ): Judgement =>
    found({
      status,
      title,
      evidence: [
        evidence('file', service.source, text, at),
        evidence('file', 'listen.web', listens === '' ? 'nowhere' : listens, at),
        ...more,
      ],
      fix: fix ?? [],
    });
  const listenOn = {
    text: 'Or let the master listen there',
    commands: [`bbx config set listen.web '[::]:${port}'${dirFlag(own.dir)}`],
  };
  if (!own.isServed)
    return draft('warn', `url names ${text}, but listen.web says that the master serves no pages`, [
      {
        text: 'Give listen.web an address, or take url out',
        commands: [`bbx config set listen.web 'localhost:8010'${dirFlag(own.dir)}`],
      },
    ]);
  if (isLoopbackName(service.host) && (own.isFarAway || own.web.some(({ host }) => !isLoopbackName(host))))
    return draft(
      'warn',
      `url ${text} leads everybody to his own host: links in messages, and hooks, go nowhere`,
      [
        {
          text: 'Write the name by which others reach this host',
          commands: [`bbx config get url${dirFlag(own.dir)}`],
        },
      ],
    );
  if (!isHere || own.web.length === 0) return nothing;
  const served = own.web.filter((one) => one.port === port);
  if (secure && served.length > 0)
    return draft('error', `url ${text} is https, and port ${port} of this master speaks plain HTTP`, [
      {
        text: `Write http:// and the same port, or let a web server with TLS stand before it, with url naming its port`,
      },
    ]);
  // A name of loopback leads nowhere else, whatever is written in hosts files.
  const outside = isLoopbackName(service.host)
    ? []
    : addresses.filter((address) => kindOf(address) !== 'loopback');
  if (served.length > 0 && outside.length > 0 && served.every(({ host }) => isLoopbackName(host)))
    return draft(
      'error',
      `url ${text} leads to ${outside.join(', ')}, but the master listens on ${listens}: this host alone`,
      [{ text: 'Let a web server stand before it, with url naming its port' }, listenOn],
    );
  const refused = path?.attempts.filter(({ errno }) => errno === 'ECONNREFUSED') ?? [];
  if (path !== undefined && refused.length > 0 && refused.length === path.attempts.length)
    return draft(
      'error',
      `url ${text} leads to port ${port} of this host, where nothing listens; the master's pages are at ${listens}`,
      [
        { text: 'Write the port of the web server that stands before the master, or of the master itself' },
        listenOn,
      ],
      refused.map((attempt) => attemptEvidence(attempt, path.at)),
    );
  return nothing;
}
