import { readDocument } from '../config/document.ts';
import { examine, isError } from '../config/load.ts';
import { masterLanguage } from '../config/master.ts';
import { plainText } from '../config/schema/leaf.ts';
import { builderName } from '../config/schema/names.ts';
import { storeUrl } from '../config/schema/sources.ts';
import { parseAddress, printAddress } from '../net/endpoint/address.ts';
import { parseListen, printListen } from '../net/endpoint/listen-address.ts';
import { renderMaster, type FarmIdentity, type MasterAnswers } from '../templates/native/master.ts';
import { readAnswers } from '../templates/tree.ts';
import type { CreateOptions } from './create-tree.ts';
import { answerCheck, checkFlag, readFlag, several, usage } from './flag-value.ts';
import { repositoryAddress } from './repository-address.ts';
import { ask } from './terminal/ask.ts';
import type { Context } from './terminal/context.ts';

/** Flags of `create-master`, as they were written. */
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

/** What flags and questions say, each checked by the rule of the configuration file. Throws BBX-USAGE that names the flag. */
export async function readMasterAnswers(
  context: Context,
  target: string,
  options: CreateMasterOptions,
): Promise<MasterAnswers> {
  return checked(context, await completed(context, target, options));
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

/** Every rule of the file holds for the answers together, too. Throws BBX-USAGE. */
export async function mustHold(
  answers: MasterAnswers,
  identity: FarmIdentity,
  target: string,
): Promise<void> {
  const { files } = await renderMaster({ ...answers, format: 'yaml' }, identity, '');
  const yaml = files.find(({ path }) => path === 'master.yaml');
  if (yaml === undefined) return;
  const { problems } = await examine(masterLanguage, readDocument(yaml.content, 'master.yaml'), target);
  const wrong = problems.find(isError);
  if (wrong === undefined) return;
  const flag = FLAGS.find(([path]) => wrong.path.startsWith(path))?.[1] ?? wrong.path;
  throw usage(flag, wrong.message, wrong.fix ?? undefined);
}
