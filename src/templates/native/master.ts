import type { WrittenMaster } from '../../config/schema/master.ts';
import type { Tree, TreeFile } from '../tree.ts';

/** What the schema would fill in as well; a rendered file shows it, so that people see what can be changed. */
const DEFAULT_LISTEN = '[::]:9989';
const DEFAULT_WEB_LISTEN = 'localhost:8010';
const DEFAULT_TITLE = 'Build farm';
const DEFAULT_STORE = 'sqlite:state.sqlite';

/** What decides the content of a master's directory. What is not given gets a default. */
export interface MasterAnswers {
  name?: string;
  listen?: readonly string[];
  webListen?: readonly string[];
  reach?: readonly string[];
  store?: string;
  repository?: string;
  builder?: string;
  run?: readonly string[];
  format?: 'yaml' | 'ts';
}

/** Text that goes into key files; made, or adopted from `bbx identity new`. */
export interface FarmIdentity {
  key: string;
  certificate: string;
  /** Text of `identity/joins.json`, or null. */
  joins: string | null;
}

/** The directory of a master. `schema` is the text of the JSON Schema of its configuration. */
export async function renderMaster(
  answers: MasterAnswers,
  identity: FarmIdentity,
  schema: string,
): Promise<Tree> {
  const secret = (path: string, content: string): TreeFile => ({
    path,
    content,
    mode: 0o600,
    policy: 'keep',
  });
  return {
    role: 'master',
    retired: [answers.format === 'ts' ? 'master.yaml' : 'master.config.ts'],
    mode: 0o755,
    dirs: [
      { path: 'identity', mode: 0o700 },
      { path: 'secrets', mode: 0o700 },
    ],
    files: [
      answers.format === 'ts'
        ? { path: 'master.config.ts', content: masterCode(answers), mode: 0o644, policy: 'replace' }
        : { path: 'master.yaml', content: await masterYaml(answers), mode: 0o644, policy: 'replace' },
      {
        path: 'master.schema.json',
        content: schema,
        mode: 0o644,
        policy: 'replace',
      },
      secret('identity/key.pem', identity.key),
      { ...secret('identity/certificate.pem', identity.certificate), mode: 0o644 },
      ...(identity.joins === null ? [] : [secret('identity/joins.json', identity.joins)]),
    ],
  };
}

/** The farm's work as the answers give it: nothing that cannot run. */
function masterWork(answers: MasterAnswers): Pick<WrittenMaster, 'repositories' | 'schedulers' | 'builders'> {
  const { repository, run = [] } = answers;
  const source = repository === undefined ? undefined : repositoryName(repository);
  const builder = answers.builder ?? source ?? 'build';
  const repositories =
    repository === undefined || source === undefined ? {} : { [source]: { git: repository } };
  if (run.length === 0) return { repositories };
  return {
    repositories,
    ...(source === undefined
      ? {}
      : { schedulers: { 'on-push': { kind: 'branch' as const, repository: source, builders: [builder] } } }),
    builders: {
      [builder]: {
        ...(source === undefined ? {} : { repository: source }),
        steps: [
          ...(source === undefined ? [] : [{ git: {} }]),
          ...run.map((command) => ({ run: command, haltOnFailure: true })),
        ],
      },
    },
  };
}

/** A name for a repository from its address: `https://git.example/app.git` → `app`. */
export function repositoryName(url: string): string {
  const last =
    url
      .replace(/[/:]+$/, '')
      .split(/[/:]/)
      .at(-1) ?? '';
  const name = last
    .replace(/\.git$/, '')
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 80);
  return name === '' || /^[rc]?\d+$/.test(name) ? `repository${name}` : name;
}

async function masterYaml(answers: MasterAnswers): Promise<string> {
  const work = masterWork(answers);
  const reach = answers.reach ?? [];
  return [
    '# yaml-language-server: $schema=master.schema.json',
    '# Check it with "bbx config check", see what a change does with "bbx config plan", make it count with "bbx config apply".',
    '',
    answers.name === undefined ? `title: ${DEFAULT_TITLE}` : await yaml({ title: answers.name }),
    '',
    '# "[::]" is every address of this host, IPv6 and IPv4; "localhost" both loopback addresses.',
    answers.listen === undefined && answers.webListen === undefined
      ? `listen:\n  workers: "${DEFAULT_LISTEN}"\n  web: ${DEFAULT_WEB_LISTEN}`
      : await yaml({ listen: listenOf(answers) }),
    '',
    '# How workers get here, best first. It goes into join strings.',
    reach.length === 0 ? '# reach: ["farm.example:9989"]' : await yaml({ reach: [...reach] }),
    '',
    answers.store === undefined ? `store: ${DEFAULT_STORE}` : await yaml({ store: answers.store }),
    'retention: { logs: 90d, builds: 1000 }',
    '',
    '# Workers need not stand here ("bbx worker add NAME" lets one in). What stands here overrides their own words.',
    '# workers:',
    '#   linux-1: { tags: [linux], maxBuilds: 2 }',
    '',
    '# Where sources come from, and how often to look for pushes.',
    await section(work, 'repositories', [
      '# repositories:',
      '#   app: { git: https://git.example/app.git, poll: 60s, branches: [main, "release/*"] }',
    ]),
    '',
    '# When to build.',
    await section(work, 'schedulers', [
      '# schedulers:',
      '#   on-push: { kind: branch, repository: app, treeStableTimer: 10s, builders: [app] }',
      '#   every-night: { kind: nightly, repository: app, cron: "0 3 * * *", onlyIfChanged: true, builders: [app] }',
    ]),
    '',
    '# What to build. Also: bbx builder add app --repository app --run "npm ci" --run "npm test"',
    await section(work, 'builders', [
      '# builders:',
      '#   app:',
      '#     repository: app',
      '#     steps:',
      '#       - git: {}',
      '#       - run: npm ci',
      '#       - { run: npm test, timeout: 10m, env: { BRANCH: "${{ branch }}" } }',
    ]),
    '',
    '# Files of mode 0600. In a step: env: { KEY: { secret: DEPLOY_KEY } }',
    '# secrets: { DEPLOY_KEY: { file: secrets/deploy } }',
    '',
  ].join('\n');
}

async function section(
  work: ReturnType<typeof masterWork>,
  name: keyof ReturnType<typeof masterWork>,
  example: readonly string[],
): Promise<string> {
  const value = work[name] ?? {};
  return Object.keys(value).length === 0 ? example.join('\n') : await yaml({ [name]: value });
}

function masterCode(answers: MasterAnswers): string {
  const config: WrittenMaster = {
    title: answers.name ?? DEFAULT_TITLE,
    listen: listenOf(answers),
    ...(answers.reach === undefined ? {} : { reach: [...answers.reach] }),
    store: answers.store ?? DEFAULT_STORE,
    ...masterWork(answers),
  };
  return [
    '// Check it with "bbx config check", see what a change does with "bbx config plan", make it count with "bbx config apply".',
    "import { defineMaster } from 'bbx';",
    '',
    `export default defineMaster(${code(config)});`,
    '',
  ].join('\n');
}

/** Plain data as TypeScript: keys without quotes where they may be. */
function code(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(/^(\s*)"([A-Za-z_$][\w$]*)":/gm, '$1$2:');
}

function listenOf({ listen = [DEFAULT_LISTEN], webListen = [DEFAULT_WEB_LISTEN] }: MasterAnswers) {
  return { workers: one(listen), web: one(webListen) };
}

function one(texts: readonly string[]): string | string[] {
  const [first] = texts;
  return texts.length === 1 && first !== undefined ? first : [...texts];
}

/** Loaded only for what was given: what nobody gave is text already, and the library takes longer than writing the directory. */
async function yaml(value: object): Promise<string> {
  return (await import('../yaml.ts')).yaml(value);
}
