import { mapTexts } from './without-secrets.ts';
import { addressPseudonyms, numbering } from './share-addresses.ts';

/** Names that no rule of form can tell from other words. */
export interface KnownNames {
  /** Of hosts, also without a dot. */
  readonly hosts: readonly string[];
  readonly workers: readonly string[];
  readonly users: readonly string[];
  /** Relative paths, as they are shown. */
  readonly paths: readonly string[];
}

/** Words that are names at times and tell nothing. */
const TELLS_NOTHING = new Set(
  'localhost ip6-localhost ip6-loopback master worker bbx host here root nobody tcp default build buildbot'.split(
    ' ',
  ),
);
/** First parts of dotted words that are no host names: settings of the kernel and of bbx, modules of programs. */
const NOT_HOSTS =
  /^(net|kernel|fs|network|listen|reach|retention|workers|builders|schedulers|repositories|secrets|protocols|c|www|os|process|worker|schedulers|reporters|twisted|buildbot|bbx|ipv4only)\./;
const FILE_ENDING =
  /\.(ya?ml|ts|js|cfg|tac|pem|md|conf|sock|json|jsonl|key|crt|log|py|service|socket|sqlite|old|txt|target|timer|mount|d|sh|netrc|lock|new)$/i;
/** Folders that every machine has, and files and folders that every farm has. */
const COMMON_PARTS = new Set(
  (
    'home root var srv opt tmp mnt run usr lib etc master worker logs spool builds keys state store secrets cache ' +
    'master.yaml master.config.ts worker.yaml master.cfg buildbot.tac hosts resolv.conf'
  ).split(' '),
);
const SYSTEM_PATH = /^\/(proc|sys|dev|etc|bin|sbin|lib|usr\/(s?bin|lib|share))(\/|$)/;

/** Also right behind a word that is no part of an address: `IP:` in certificates, `tcp:` of endpoints. */
const ADDRESS = String.raw`(?:(?<![\w:.%])|(?<=\b\w*[g-z_]\w*:))(?:[\da-f]*:[\da-f:]*:[\da-f:.]*|\d{1,3}(?:\.\d{1,3}){3})(?![\w])`;
const FORMS: readonly (readonly [
  kind: 'url' | 'pin' | 'mac' | 'escaped' | 'address' | 'path' | 'mail' | 'domain' | 'hex',
  form: string,
])[] = [
  ['url', String.raw`\b[a-z][a-z\d+.-]*:\/\/[^\s"'<>\`]+`],
  ['pin', String.raw`\bsha256:[\w+/-]{20,}=*|(?:[\da-f]{2}:){15,}[\da-f]{2}`],
  ['mac', String.raw`(?<![\w:])(?:[\da-f]{2}:){5}[\da-f]{2}(?![\w:])`],
  // As Twisted's endpoints have it.
  ['escaped', String.raw`(?<![\w\\])(?:[\da-f]{0,4}\\+:){2,8}[\da-f.]*`],
  ['address', ADDRESS],
  ['mail', String.raw`(?<![\w.@-])[\w.+-]+@(?:\[[\da-f:]+\]|[a-z\d][\w.-]*[a-z\d])(?::[\w.~][\w./~-]*)?`],
  ['path', String.raw`(?<![\w/.\])}-])~?(?:\/[\w.@%+~,=-]+)+\/?`],
  ['domain', String.raw`(?<![\w.@/-])(?:[a-z\d_](?:[\w-]*[a-z\d])?\.)+[a-z][a-z\d-]*[a-z\d](?![\w@-])`],
  ['hex', String.raw`\b[\da-f]{16,}\b`],
];

/** Known names may be parts of what these forms have found, and hold what the others would take for something else. */
const WORDS_BEHIND = FORMS.findIndex(([kind]) => kind === 'path');

/**
 * Gives every name, address, user, path and key of a report a stand-in, the same one each time, so that what is alike or near one another
 * stays so and nobody can be told. Words of the doctor, of the kernel and of the configuration's grammar stay.
 */
export function createPseudonyms(known: KnownNames): <Value>(value: Value) => Value {
  const addressOf = addressPseudonyms();
  const [hosts, domains, users, workers] = [numbering(), numbering(), numbering(), numbering()];
  const [folders, keys] = [numbering(), numbering()];
  const words = new Map<string, () => string>();
  const learn = (names: readonly string[], stand: (name: string) => string) => {
    for (const name of names) {
      const small = name.toLowerCase();
      if (small.length > 1 && !TELLS_NOTHING.has(small) && !words.has(small))
        words.set(small, () => stand(name));
    }
  };
  learn(
    known.paths.filter((path) => path !== '.'),
    (path) => pathOf(path),
  );
  learn(
    known.hosts.filter((name) => addressOf(name) === undefined),
    (name) => hostOf(name),
  );
  learn(known.workers, (name) => `worker-${workers(name)}`);
  learn(known.users, (name) => `user-${users(name)}`);

  const hostOf = (name: string): string => {
    const labels = name.toLowerCase().replace(/\.$/, '').split('.');
    if (/\.(ip6|in-addr)\.arpa\.?$/i.test(name))
      return `reverse-${hosts(name)}.${labels.slice(-2).join('.')}`;
    if (labels.at(-1) === 'localhost') return name;
    const own = labels.length > 2 ? labels.slice(0, -2) : labels.length === 1 ? labels : [];
    const domain = labels.length > 1 ? [`domain-${domains(labels.slice(-2).join('.'))}.example`] : [];
    return [...own.map((label) => (label === '*' ? label : `host-${hosts(label)}`)), ...domain].join('.');
  };
  const partOf = (part: string, before: string | undefined): string => {
    if (
      part === '' ||
      part === '.' ||
      part === '..' ||
      part === '~' ||
      COMMON_PARTS.has(part) ||
      /^\d+$/.test(part)
    )
      return part;
    if (before === 'home') return `user-${users(part.toLowerCase())}`;
    return `dir-${folders(part)}${FILE_ENDING.exec(part)?.[0] ?? ''}`;
  };
  const pathOf = (path: string): string => {
    const parts = path.split('/');
    return parts.map((part, index) => partOf(part, parts[index - 1])).join('/');
  };
  const urlOf = (url: string): string => {
    const [, scheme = '', user, host = '', port = '', rest = ''] =
      /^([a-z][a-z\d+.-]*:\/\/)(?:([^@/]*)@)?(\[[^\]]*\]|[^:/?#]*)(:\d+)?(.*)$/i.exec(url) ?? [];
    const bare = host.replace(/^\[|\]$/g, '');
    const place = host === '' ? '' : host.replace(bare, standIn(bare, hostOf));
    const who = user === undefined ? '' : `user-${users(user.toLowerCase())}@`;
    return `${scheme}${who}${place}${port}${pathOf(rest.replace(/[?#].*/, ''))}`;
  };
  const standIn = (text: string, otherwise: (text: string) => string): string => {
    const [, plain = text, zone = ''] = /^([^%]*)(%.*)$/.exec(text) ?? [];
    const address = addressOf(plain);
    if (address !== undefined) return address + zone;
    if (TELLS_NOTHING.has(text.toLowerCase())) return text;
    return words.get(text.toLowerCase())?.() ?? otherwise(text);
  };

  const changeOf: Record<(typeof FORMS)[number][0] | 'known', (text: string) => string> = {
    known: (text) => words.get(text.toLowerCase())?.() ?? text,
    url: urlOf,
    pin: (text) => `sha256:key-${keys(text.toLowerCase())}`,
    mac: (text) => `02:00:00:00:00:${(keys(text.toLowerCase()) % 256).toString(16).padStart(2, '0')}`,
    address: (text) => {
      // Punctuation behind an address looks like a part of it.
      const [, plain = text, after = ''] = /^(.*?[\da-f]|::)([:.]*)$/i.exec(text) ?? [];
      const double = text.endsWith('::') ? addressOf(text) : undefined;
      if (double !== undefined) return double;
      const found = addressOf(plain);
      return found === undefined ? text : found + after;
    },
    escaped: (text) => {
      const [colon = ':'] = /\\+:/.exec(text) ?? [];
      return addressOf(text.replaceAll('\\', ''))?.replaceAll(':', colon) ?? text;
    },
    mail: (text) => {
      const [, user = '', host = '', path = ''] = /^([^@]*)@(\[[^\]]*\]|[^:]*)(.*)$/.exec(text) ?? [];
      const bare = host.replaceAll(/[[\]]/g, '');
      const who = standIn(user, (name) => `user-${users(name.toLowerCase())}`);
      return `${who}@${host.replace(bare, standIn(bare, hostOf))}${path === '' ? '' : `:${pathOf(path.slice(1))}`}`;
    },
    path: (text) => (SYSTEM_PATH.test(text) || /^\/\d+$/.test(text) ? text : pathOf(text)),
    domain: (text) => {
      const looksLikeOurs =
        NOT_HOSTS.test(text) || FILE_ENDING.test(text) || /[A-Z]/.test(text.split('.').at(-1) ?? '');
      return looksLikeOurs ? text : standIn(text, hostOf);
    },
    // First bytes that somebody sent may hold a name.
    hex: (text) => `${text.slice(0, 8)}…`,
  };
  const names = [...words.keys()]
    .sort((a, b) => b.length - a.length)
    .map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const forms = [
    ...FORMS.slice(0, WORDS_BEHIND).map(([kind, form]) => `(?<${kind}>${form})`),
    ...(names.length === 0 ? [] : [String.raw`(?<known>(?<![\w.@/-])(?:${names.join('|')})(?![\w-]|\.\w))`]),
    ...FORMS.slice(WORDS_BEHIND).map(([kind, form]) => `(?<${kind}>${form})`),
  ];
  const pattern = new RegExp(forms.join('|'), 'gi');
  const change = (text: string) =>
    text.replaceAll(pattern, (match, ...rest) => {
      const groups = rest.at(-1) as Record<string, string | undefined>;
      const kind = Object.keys(groups).find((name) => groups[name] !== undefined) as keyof typeof changeOf;
      return changeOf[kind](match);
    });
  return (value) => mapTexts(value, change);
}
