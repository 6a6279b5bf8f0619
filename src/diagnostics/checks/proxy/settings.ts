import type { Evidence } from '../../../api/doctor.ts';
import { familyOf } from '../../../net/endpoint/host.ts';
import { defineCheck, found, nothing, type Draft, type JudgeContext, type Judgement } from '../../check.ts';
import { attemptEvidence, evidence } from '../../evidence.ts';
import type { PathFacts } from '../../facts/paths.ts';
import type { ProxySetting, ProxySettingsFacts } from '../../facts/ways.ts';
import { directTargets, type TargetSubject } from '../../subject.ts';
import { fixFor, tally } from '../paths/fixes.ts';

interface Facts {
  readonly settings: ProxySettingsFacts;
  /** Proxies of those settings that are looked at as targets, and what came of it. */
  readonly tried: readonly { readonly target: TargetSubject; readonly path: PathFacts }[];
}

export const prx01 = defineCheck<'host', Facts>({
  id: 'PRX-01',
  title: 'settings that send programs to a proxy',
  about: 'host',
  topics: ['proxy', 'host', 'source', 'path', 'reach'],
  needs: [],
  async gather({ probes, subjects }) {
    const settings = await probes.proxySettings(subjects.filter((subject) => subject.kind === 'program'));
    const proxies = directTargets(subjects).filter((target) => settingsFor(target, settings).length > 0);
    const tried = proxies.map(async (target) => ({ target, path: await probes.path(target) }));
    return { settings, tried: await Promise.all(tried) };
  },
  judge: (facts, _host, context) => judgeSettings(facts, context),
});

function judgeSettings({ settings: facts, tried }: Facts, context: JudgeContext): Judgement {
  const drafts = [
    ...gone(facts, tried),
    ...broken(facts),
    ...contradictions(facts),
    ...elsewhere(facts),
    ...exceptions(facts, context),
  ];
  if (drafts.length > 0) return found(...drafts);
  if (facts.settings.length === 0) return nothing;
  const places = [...new Set(facts.settings.map(({ source }) => source))];
  return found({
    status: 'info',
    title: `A proxy is set (${places.join(', ')}): git uses it, and so do downloads of steps; a bbx worker's own link goes by "via" alone`,
    evidence: listed(facts),
  });
}

function listed({ settings, exceptions, at }: ProxySettingsFacts): Evidence[] {
  return [
    ...settings.map((one) => line(one, at)),
    ...exceptions.map(({ source, name, entries }) =>
      evidence('proc', `${name} of ${source}`, entries.join(','), at),
    ),
  ];
}

function line({ source, name, shown }: ProxySetting, at: string): Evidence {
  return evidence(source === 'git' || source === 'npm' ? 'file' : 'proc', `${name} of ${source}`, shown, at);
}

function settingsFor({ host, port }: TargetSubject, { settings }: ProxySettingsFacts): ProxySetting[] {
  return settings.filter((one) => one.host === host && one.port === port);
}

/** Whoever goes by such a setting gets nowhere. Where this host itself refuses to connect, other checks say why. */
function gone(facts: ProxySettingsFacts, tried: Facts['tried']): Draft[] {
  return tried.flatMap(({ target, path }) => {
    const { attempts, at } = path;
    if (attempts.some(({ outcome }) => outcome === 'connected') || attempts.every(({ local }) => local))
      return [];
    const named = settingsFor(target, facts);
    const names = named.map(({ name, source }) => `${name} of ${source}`);
    return [
      {
        status: 'error' as const,
        title: `${names.join(' and ')} ${names.length === 1 ? 'leads' : 'lead'} to a proxy that does not answer: ${target.text} (${tally(attempts)})`,
        target: target.text,
        evidence: [...named.map((one) => line(one, at)), ...attempts.map((one) => attemptEvidence(one, at))],
        fix: [
          {
            text: 'Set the address of the proxy that is there now, or take the setting away where none is needed',
          },
          ...fixFor(attempts, target, path),
        ],
      },
    ];
  });
}

function broken(facts: ProxySettingsFacts): Draft[] {
  return facts.settings
    .filter(({ problem }) => problem !== null)
    .map((one) => ({
      status: 'warn' as const,
      target: `${one.name} of ${one.source}`,
      title: `${one.name} of ${one.source} is no address of a proxy: ${one.problem ?? ''}`,
      evidence: [line(one, facts.at)],
      fix: [{ text: 'Write it as http://HOST:PORT, an IPv6 address in brackets: http://[2001:db8::2]:3128' }],
    }));
}

/** Some programs read the small name first, some the capitals, some only one of them. */
function contradictions(facts: ProxySettingsFacts): Draft[] {
  const pairs = [
    ...facts.settings.map(({ source, name, shown }) => ({ source, name, value: shown })),
    ...facts.exceptions.map(({ source, name, entries }) => ({ source, name, value: entries.join(',') })),
  ];
  return pairs.flatMap((small) => {
    const capitals = pairs.find(
      (other) =>
        other.source === small.source && other.name !== small.name && other.name === small.name.toUpperCase(),
    );
    if (capitals === undefined || capitals.value === small.value) return [];
    return [
      {
        status: 'warn' as const,
        target: `${small.name} of ${small.source}`,
        title: `${small.name} and ${capitals.name} of ${small.source} say different things; which one counts differs from program to program`,
        evidence: [small, capitals].map(({ source, name, value }) =>
          evidence('proc', `${name} of ${source}`, value, facts.at),
        ),
        fix: [{ text: 'Set both to the same', commands: [`export ${capitals.name}="$${small.name}"`] }],
      },
    ];
  });
}

/** What this shell has says nothing of a worker that was started elsewhere. */
function elsewhere(facts: ProxySettingsFacts): Draft[] {
  const of = (source: string) =>
    facts.settings
      .filter((one) => one.source === source)
      .map(({ name, shown }) => `${name.toLowerCase()}=${shown}`)
      .toSorted()
      .join(' ');
  const here = of('environment');
  return facts.programs
    .filter((program) => of(program) !== here)
    .map((program) => ({
      status: 'info' as const,
      title: `The ${program} names ${of(program) === '' ? 'no proxy, and this shell does' : here === '' ? 'a proxy, and this shell none' : 'another proxy than this shell'}`,
      evidence: listed(facts),
      fix: [
        {
          text: 'Where a proxy is needed, set it in the service of the program; where not, unset it here before comparing',
        },
      ],
    }));
}

/** Forms that only some programs understand. Matters only for who is meant to be left out. */
function exceptions(facts: ProxySettingsFacts, context: JudgeContext): Draft[] {
  if (facts.settings.length === 0) return [];
  const targets = directTargets(context.subjects).map(({ host }) => host);
  const v6 = targets.filter((host) => familyOf(host) === 6);
  return facts.exceptions.flatMap(({ source, name, entries }) => {
    const odd = entries.flatMap((entry) => {
      const why = oddity(entry);
      return why === undefined ? [] : [`${entry} (${why})`];
    });
    const missed = v6.filter(
      (host) => entries.some((entry) => entry === `[${host}]`) && !entries.includes(host),
    );
    if (odd.length === 0 && missed.length === 0) return [];
    const grave = missed.length > 0;
    return [
      {
        status: grave ? ('warn' as const) : ('info' as const),
        target: `${name} of ${source}`,
        title: grave
          ? `${name} of ${source} has ${missed.map((host) => `[${host}]`).join(', ')} in brackets alone, which curl and git do not find there`
          : `${name} of ${source} has forms that not every program understands: ${odd.join(', ')}`,
        evidence: [evidence('proc', `${name} of ${source}`, entries.join(','), facts.at)],
        fix: [
          {
            text: grave
              ? 'Write the IPv6 address without brackets too'
              : 'Write plain names, domains with a leading dot, and single addresses, where old programs must understand it',
          },
        ],
      },
    ];
  });
}

function oddity(entry: string): string | undefined {
  if (entry === '*') return undefined;
  if (entry.includes('/')) return 'a range of addresses';
  if (entry.includes('*')) return 'a star within a name';
  if (/^\[.*\]$/.test(entry)) return 'an IPv6 address in brackets';
  if (/^[^:]+:\d+$/.test(entry)) return 'a port';
  return undefined;
}
