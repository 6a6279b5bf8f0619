import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { errnoOf } from '../base/error.ts';
import { readDocument } from '../config/document.ts';
import { jsonSchema } from '../config/json-schema.ts';
import { masterLayout } from '../config/layout.ts';
import { examine, isError } from '../config/load.ts';
import { masterLanguage } from '../config/master.ts';
import { plainText } from '../config/schema/leaf.ts';
import { builderName } from '../config/schema/names.ts';
import { storeUrl } from '../config/schema/sources.ts';
import { parseAddress, printAddress } from '../net/endpoint/address.ts';
import { parseListen, printListen } from '../net/endpoint/listen-address.ts';
import { createFarmKey, selfSignedCertificate } from '../net/tls/certificate.ts';
import { pinOf } from '../net/tls/pin.ts';
import type { Answers } from '../templates/answers.ts';
import { codes as templateCodes } from '../templates/codes.ts';
import { renderMaster, type FarmIdentity, type MasterAnswers } from '../templates/native/master.ts';
import { readAnswers, type Tree } from '../templates/tree.ts';
import { createTree, type CreateOptions } from './create-tree.ts';
import { hostsOf, joinsOf, parseIdentity, type IdentityFile } from './farm-identity.ts';
import { answerCheck, checkFlag, readFlag, several, usage } from './flag-value.ts';
import { repositoryAddress } from './repository-address.ts';
import { ask } from './terminal/ask.ts';
import type { Context } from './terminal/context.ts';
import { secretValue } from './terminal/secret-value.ts';

export interface CreateMasterOptions extends CreateOptions {
  name?: string;
  listen?: string[];
  webListen?: string[];
  reach?: string[];
  store?: string;
  repository?: string;
  builder?: string;
  run?: string[];
  format?: 'yaml' | 'ts';
  identity?: string;
}

/** `fromEnvironment` says of a flag whether its environment variable gave the value. */
export async function createMaster(
  context: Context,
  dir: string | undefined,
  options: CreateMasterOptions,
  fromEnvironment: (flag: string) => boolean,
): Promise<void> {
  const target = resolve(context.cwd, dir ?? 'master');
  const given = checked(context, await completed(context, target, options));
  const adopted =
    options.identity === undefined
      ? undefined
      : parseIdentity(
          await secretValue(context, {
            flag: '--identity',
            value: options.identity,
            fromEnvironment: fromEnvironment('identity'),
          }),
        );
  const reach =
    given.reach ?? (adopted !== undefined && adopted.reach.length > 0 ? adopted.reach : undefined);
  const answers: MasterAnswers = { ...given, ...(reach === undefined ? {} : { reach }) };
  const identity = await identityFor(target, adopted, reach ?? []);
  const tree = renderMaster(answers, identity, jsonSchema('master'));
  if (mayClash(answers)) await mustHold(renderMaster({ ...answers, format: 'yaml' }, identity, {}), target);
  const shown = relative(context.cwd, target) || '.';
  const where = dir === undefined ? '' : ` ${shown}`;
  const next = [
    `Its key: ${pinOf(identity.certificate)}`,
    `Next:  bbx run master${where}`,
    ...(answers.run === undefined
      ? [
          `       bbx builder add NAME --repository URL --run CMD${dir === undefined ? '' : ` --dir ${shown}`}`,
        ]
      : []),
    ...workerLine(answers, adopted),
  ];
  await createTree(context, { dir: target, tree, answers: recorded(given, adopted), next }, options);
}

/** How a machine that builds joins; nothing where no port is known that it could be told. */
function workerLine(answers: MasterAnswers, adopted: IdentityFile | undefined): string[] {
  if (adopted !== undefined && adopted.workers.length > 0)
    return ['       bbx create-worker --join @FILE   on each machine that builds, with its join string'];
  const [port] = (answers.listen ?? ['[::]:9989']).map((text) => /:(\d+)$/.exec(text)?.[1]);
  const [master] = answers.reach ?? (port === undefined || port === '0' ? [] : [`HOST:${port}`]);
  return master === undefined
    ? []
    : [`       bbx create-worker --master ${master}   on each machine that builds`];
}

/** Asks at a terminal for what was not given, unless the directory remembers a first call. */
async function completed(
  context: Context,
  target: string,
  options: CreateMasterOptions,
): Promise<CreateMasterOptions> {
  if (!context.interactive || (await readAnswers(target)) !== undefined) return options;
  const said = await ask(
    context,
    [
      {
        name: 'name',
        message: 'A title for the farm',
        default: 'Build farm',
        check: answerCheck((text) => checkFlag('--name', plainText(200, 1), text)),
      },
      {
        name: 'reach',
        message: 'How workers reach this host, such as farm.example:9989 (empty: say it later)',
        check: answerCheck((text) => several([text])?.map((one) => parseAddress(one))),
      },
      {
        name: 'repository',
        message: 'Repository to build, an address or a path (empty: none yet)',
        check: answerCheck((text) => repositoryAddress(context, text)),
      },
    ].filter(({ name }) => options[name as 'name'] === undefined),
  );
  const repository = options.repository ?? (said['repository'] || undefined);
  const command =
    repository !== undefined && options.run === undefined
      ? await ask(context, [
          { name: 'run', message: 'The command that builds and tests it (empty: say it later)' },
        ])
      : {};
  return {
    ...options,
    ...(said['name'] ? { name: said['name'] } : {}),
    ...(said['reach'] ? { reach: [said['reach']] } : {}),
    ...(repository === undefined ? {} : { repository }),
    ...(command['run'] ? { run: [command['run']] } : {}),
  };
}

/** The answers with every address in its one form. Throws BBX-USAGE that names the flag. */
function checked(context: Context, options: CreateMasterOptions): MasterAnswers {
  const { name, store, builder, run, format } = options;
  if (name !== undefined) checkFlag('--name', plainText(200, 1), name);
  if (store !== undefined) checkFlag('--store', storeUrl, store);
  if (builder !== undefined) {
    checkFlag('--builder', builderName, builder);
    if (run === undefined) throw usage('--builder', 'a builder needs a command', 'add --run CMD');
  }
  if (run?.some((command) => command.trim() === '')) throw usage('--run', 'it is empty', 'write a command');
  const listens = (flag: string, texts: string[] | undefined, defaultPort: number) =>
    several(texts) &&
    readFlag(flag, several(texts) ?? [], (text) => parseListen(text, { defaultPort }), printListen);
  const listen = listens('--listen', options.listen, 9989);
  const webListen = listens('--web-listen', options.webListen, 8010);
  const reach = several(options.reach);
  return {
    ...(name === undefined ? {} : { name }),
    ...(listen === undefined ? {} : { listen }),
    ...(webListen === undefined ? {} : { webListen }),
    ...(reach === undefined
      ? {}
      : { reach: readFlag('--reach', reach, (text) => parseAddress(text), printAddress) }),
    ...(store === undefined ? {} : { store }),
    ...(options.repository === undefined
      ? {}
      : { repository: repositoryAddress(context, options.repository) }),
    ...(builder === undefined ? {} : { builder }),
    ...(run === undefined ? {} : { run }),
    ...(format === undefined ? {} : { format }),
  };
}

/**
 * The identity of a directory: the one that is there, else the adopted one, else a new one. A directory's key is never replaced.
 * Throws BBX-TPL-OTHER-KEY.
 */
async function identityFor(
  target: string,
  adopted: IdentityFile | undefined,
  reach: readonly string[],
): Promise<FarmIdentity> {
  const layout = masterLayout(target);
  const existing = await textOf(layout.key);
  if (existing !== undefined && adopted !== undefined && pinOf(existing) !== adopted.pin)
    throw templateCodes['BBX-TPL-OTHER-KEY']({ dir: target, pin: pinOf(existing) });
  const joins =
    adopted === undefined || adopted.workers.length === 0 ? null : `${JSON.stringify(joinsOf(adopted))}\n`;
  if (adopted !== undefined) return { key: adopted.key, certificate: adopted.certificate, joins };
  const key = existing ?? createFarmKey();
  const certificate =
    (await textOf(layout.certificate)) ?? selfSignedCertificate(key, { names: hostsOf(reach) });
  return { key, certificate, joins };
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    // What cannot be read is the tree's to report.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Which flag a key of the file came from. */
const FLAGS = [
  ['title', '--name'],
  ['listen.workers', '--listen'],
  ['listen.web', '--web-listen'],
  ['reach', '--reach'],
  ['store', '--store'],
  ['repositories', '--repository'],
  ['builders', '--run'],
] as const;

/** A title and a form of the file, each checked by itself, break no rule of another key: then the whole file, an eighth of the time, is not read again. */
function mayClash({ name: _name, format: _format, ...others }: MasterAnswers): boolean {
  return Object.keys(others).length > 0;
}

/** Every rule of the file holds for the answers together, too. Throws BBX-USAGE. */
async function mustHold(tree: Tree, target: string): Promise<void> {
  const yaml = tree.files.find(({ path }) => path === 'master.yaml');
  if (yaml === undefined) return;
  const { problems } = await examine(masterLanguage, readDocument(yaml.content, 'master.yaml'), target);
  const wrong = problems.find(isError);
  if (wrong === undefined) return;
  const flag = FLAGS.find(([path]) => wrong.path.startsWith(path))?.[1] ?? wrong.path;
  throw usage(flag, wrong.message, wrong.fix ?? undefined);
}

function recorded(given: MasterAnswers, adopted: IdentityFile | undefined): Answers {
  const { webListen, ...rest } = given;
  return {
    ...rest,
    ...(webListen === undefined ? {} : { 'web-listen': webListen }),
    ...(adopted === undefined ? {} : { identity: adopted.pin }),
  };
}
