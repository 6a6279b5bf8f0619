import { hostname } from 'node:os';
import { relative, resolve } from 'node:path';
import { BbxError } from '../base/error.ts';
import { isPattern, matchesPattern } from '../base/pattern.ts';
import { schemaText } from '../config/schema-text.ts';
import { workerName } from '../config/schema/names.ts';
import { tag } from '../config/schema/leaf.ts';
import { parseAddress, printAddress } from '../net/endpoint/address.ts';
import { parseHop, printHop } from '../net/endpoint/hop.ts';
import { parseJoin, type Join } from '../protocol/bbx/join.ts';
import type { Answers } from '../templates/answers.ts';
import { renderWorker } from '../templates/native/worker.ts';
import { readAnswers } from '../templates/tree.ts';
import { createTree, type CreateOptions } from './create-tree.ts';
import { answerCheck, checkFlag, readFlag, several, usage } from './flag-value.ts';
import { ask } from './terminal/ask.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { secretValue } from './terminal/secret-value.ts';

export interface CreateWorkerOptions extends CreateOptions {
  master?: string[];
  name?: string;
  join?: string;
  via?: string[];
  maxBuilds?: number;
  tag?: string[];
}

/** Makes a worker's directory; never uses the network. `fromEnvironment` says of a flag whether its variable gave the value. */
export async function createWorker(
  context: Context,
  dir: string | undefined,
  options: CreateWorkerOptions,
  fromEnvironment: (flag: string) => boolean,
): Promise<void> {
  const target = resolve(context.cwd, dir ?? 'worker');
  const joinText =
    options.join === undefined
      ? null
      : await secretValue(context, {
          flag: '--join',
          value: options.join,
          fromEnvironment: fromEnvironment('join'),
        });
  const join = joinText === null ? undefined : readJoin(joinText);
  const { master, name } = await completed(context, target, options, join);
  const ways = master ?? join?.reach;
  if (ways === undefined || ways.length === 0)
    throw codes['BBX-USAGE']({
      problem: '--master is missing: where does this worker find its master?',
      hint: 'Add --master HOST:9989, or --join @FILE with a join string from "bbx worker add"',
    });
  const givenName = name ?? (join === undefined || isPattern(join.names) ? undefined : join.names);
  const finalName = givenName ?? hostName();
  checkFlag('--name', workerName, finalName);
  if (join !== undefined && !matchesPattern(join.names, finalName))
    throw usage('--name', `the join string is for "${join.names}", not for "${finalName}"`);
  const tags = several(options.tag);
  tags?.forEach((text) => checkFlag('--tag', tag, text));
  const flags = {
    master: readFlag(
      master === undefined ? '--join' : '--master',
      ways,
      (text) => parseAddress(text),
      printAddress,
    ),
    via: readFlag('--via', several(options.via) ?? [], parseHop, printHop),
  };
  const tree = renderWorker(
    {
      name: finalName,
      ...flags,
      pins: join?.pins ?? [],
      ...(options.maxBuilds === undefined ? {} : { maxBuilds: options.maxBuilds }),
      ...(tags === undefined ? {} : { tags }),
    },
    joinText === null ? null : joinText.replaceAll(/\s+/g, ''),
    await schemaText('worker'),
  );
  const answers: Answers = {
    ...(master === undefined ? {} : { master: flags.master }),
    ...(name === undefined ? {} : { name }),
    ...(join === undefined ? {} : { join: [join.names, ...join.pins, ...join.reach] }),
    ...(flags.via.length === 0 ? {} : { via: flags.via }),
    ...(options.maxBuilds === undefined ? {} : { 'max-builds': String(options.maxBuilds) }),
    ...(tags === undefined ? {} : { tag: tags }),
  };
  const next = [
    `Next:  bbx run worker${dir === undefined ? '' : ` ${relative(context.cwd, target) || '.'}`}`,
    ...(join === undefined ? [`then, at the master:  bbx worker approve ${finalName}`] : []),
  ];
  await createTree(context, { dir: target, tree, answers, next }, options);
}

function readJoin(text: string): Join {
  try {
    return parseJoin(text);
  } catch (error) {
    if (!(error instanceof BbxError)) throw error;
    throw usage('--join', error.message, error.hint);
  }
}

/** Asks at a terminal for what is missing, unless the directory remembers a first call. */
async function completed(
  context: Context,
  target: string,
  options: CreateWorkerOptions,
  join: Join | undefined,
): Promise<{ master: string[] | undefined; name: string | undefined }> {
  const master = several(options.master);
  if (!context.interactive || (await readAnswers(target)) !== undefined)
    return { master, name: options.name };
  const checkName = (text: string) => {
    checkFlag('--name', workerName, text);
    if (join !== undefined && !matchesPattern(join.names, text))
      throw usage('--name', `the join string is for "${join.names}"`);
  };
  const said = await ask(context, [
    ...(master === undefined && join === undefined
      ? [
          {
            name: 'master',
            message: 'Where the master is, such as farm.example:9989',
            check: answerCheck((text) => several([text])?.map((one) => parseAddress(one))),
          },
        ]
      : []),
    ...(options.name === undefined && (join === undefined || isPattern(join.names))
      ? [
          {
            name: 'name',
            message: 'A name for this worker',
            default: hostName(),
            check: answerCheck(checkName),
          },
        ]
      : []),
  ]);
  return {
    master: master ?? (said['master'] ? [said['master']] : undefined),
    name: options.name ?? (said['name'] || undefined),
  };
}

/** This host's name as a worker's name. */
function hostName(): string {
  const name = hostname()
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 100);
  return name === '' ? 'worker' : name;
}
