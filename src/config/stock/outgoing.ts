import type { PyModule } from './module.ts';
import { argumentOf, calleeName, type PyCall } from './values.ts';
import { settingOf, type Setting } from './written.ts';

/** Somewhere that the master connects to by itself, or that its steps fetch from. */
export interface StockOutgoing {
  /** `MailNotifier`, `GitHubStatusPush`, `GitPoller`, `Git`. */
  readonly who: string;
  /** `relayhost`, `baseURL`. */
  readonly key: string;
  readonly plane: 'mail' | 'status' | 'source' | 'chat';
  /** What it names is for git itself. */
  readonly git: boolean;
  readonly setting: Setting;
  /** What counts where nothing is written. */
  readonly standard: string | null;
  readonly port: number | null;
  /** Of chat: TLS from the first byte. */
  readonly secure?: boolean;
  /** Of mail: somebody logs in, and how TLS begins. */
  readonly mail?: { readonly user: boolean; readonly tls: 'offered' | 'starttls' | 'tls' };
}

const KEYWORD = Infinity;

interface OutgoingRow {
  readonly key: string;
  readonly place: number;
  readonly plane: StockOutgoing['plane'];
  readonly git?: true;
  readonly standard?: string;
  readonly port?: number;
  /** The argument that names another port. */
  readonly portKey?: string;
}

const repository = (key = 'repourl') => ({ key, place: 0, plane: 'source' }) as const;
const git = { ...repository(), git: true } as const;

/** Classes that connect somewhere, and the argument that says where; `KEYWORD`: nobody gives it by its place. */
const OUTGOING: Readonly<Record<string, OutgoingRow>> = {
  MailNotifier: {
    key: 'relayhost',
    place: KEYWORD,
    plane: 'mail',
    standard: 'localhost',
    port: 25,
    portKey: 'smtpPort',
  },
  IRC: { key: 'host', place: 0, plane: 'chat', port: 6_667, portKey: 'port' },
  GitHubStatusPush: { key: 'baseURL', place: 2, plane: 'status', standard: 'https://api.github.com' },
  GitHubCommentPush: { key: 'baseURL', place: 2, plane: 'status', standard: 'https://api.github.com' },
  GitLabStatusPush: { key: 'baseURL', place: 2, plane: 'status', standard: 'https://gitlab.com' },
  GiteaStatusPush: { key: 'baseURL', place: 0, plane: 'status' },
  BitbucketServerStatusPush: { key: 'base_url', place: 0, plane: 'status' },
  HttpStatusPush: { key: 'serverUrl', place: 0, plane: 'status' },
  GerritStatusPush: { key: 'server', place: 0, plane: 'status', port: 29_418 },
  GerritChangeSource: { ...repository('gerritserver'), port: 29_418, portKey: 'gerritport' },
  GitHubPullrequestPoller: {
    key: 'baseURL',
    place: KEYWORD,
    plane: 'source',
    standard: 'https://api.github.com',
  },
  GitPoller: git,
  HgPoller: repository(),
  SVNPoller: repository(),
  Git: git,
  GitHub: git,
  GitLab: git,
  Gerrit: git,
  Mercurial: repository(),
  SVN: repository(),
  Bzr: repository(),
  Repo: { ...repository('manifestURL'), git: true },
};

/** What a call of one of these classes names; nothing for other calls. Pure. */
export function outgoingOf(module: PyModule, call: PyCall): StockOutgoing[] {
  const who = calleeName(call);
  const row = Object.hasOwn(OUTGOING, who) ? OUTGOING[who] : undefined;
  if (row === undefined) return [];
  const port = row.portKey === undefined ? undefined : argumentOf(call, row.portKey);
  return [
    {
      who,
      key: row.key,
      plane: row.plane,
      git: row.git === true,
      setting: settingOf(module, argumentOf(call, row.key, row.place)),
      standard: row.standard ?? null,
      port: port?.kind === 'number' ? port.value : (row.port ?? null),
      ...(row.plane === 'mail' ? { mail: mailOf(call) } : {}),
      ...(row.plane === 'chat' ? { secure: isTrueArgument(call, 'useSSL') } : {}),
    },
  ];
}

/** As `MailNotifier` takes its arguments: a user counts with a password alone, and TLS that is offered is used. */
function mailOf(call: PyCall): NonNullable<StockOutgoing['mail']> {
  const isGiven = (key: string) => {
    const value = argumentOf(call, key);
    return value !== undefined && !('value' in value && (value.value === null || value.value === ''));
  };
  return {
    user: isGiven('smtpUser') && isGiven('smtpPassword'),
    tls: isTrueArgument(call, 'useSmtps') ? 'tls' : isTrueArgument(call, 'useTls') ? 'starttls' : 'offered',
  };
}

function isTrueArgument(call: PyCall, key: string): boolean {
  const value = argumentOf(call, key);
  return value?.kind === 'constant' && value.value === true;
}
