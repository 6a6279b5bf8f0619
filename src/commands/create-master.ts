import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { errnoOf } from '../base/error.ts';
import { masterLayout } from '../config/layout.ts';
import { schemaText } from '../config/schema-text.ts';
import { createFarmKey, selfSignedCertificate } from '../net/tls/certificate.ts';
import { pinOf } from '../net/tls/pin.ts';
import type { Answers } from '../templates/answers.ts';
import { codes as templateCodes } from '../templates/codes.ts';
import { renderMaster, type FarmIdentity, type MasterAnswers } from '../templates/native/master.ts';
import type { CreateMasterOptions } from './create-master-answers.ts';
import { createTree } from './create-tree.ts';
import type { IdentityFile } from './farm-identity.ts';
import type { Context } from './terminal/context.ts';

/** `fromEnvironment` says of a flag whether its environment variable gave the value. */
export async function createMaster(
  context: Context,
  dir: string | undefined,
  options: CreateMasterOptions,
  fromEnvironment: (flag: string) => boolean,
): Promise<void> {
  const target = resolve(context.cwd, dir ?? 'master');
  const given = await answersOf(context, target, options);
  const adopted =
    options.identity === undefined
      ? undefined
      : await adoptedFrom(context, options.identity, fromEnvironment('identity'));
  const reach =
    given.reach ?? (adopted !== undefined && adopted.reach.length > 0 ? adopted.reach : undefined);
  const answers: MasterAnswers = { ...given, ...(reach === undefined ? {} : { reach }) };
  const identity = await identityFor(target, adopted, reach ?? []);
  const tree = await renderMaster(answers, identity, await schemaText('master'));
  if (mayClash(answers))
    await (await import('./create-master-answers.ts')).mustHold(answers, identity, target);
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

/**
 * What was given and asked. The rules of the file, and what asks, are loaded where there is something to check or to ask: they take longer than
 * all the rest.
 */
async function answersOf(
  context: Context,
  target: string,
  options: CreateMasterOptions,
): Promise<MasterAnswers> {
  const { force: _force, dryRun: _dryRun, identity: _identity, format, ...others } = options;
  if (!context.interactive && Object.keys(others).length === 0) return format === undefined ? {} : { format };
  return (await import('./create-master-answers.ts')).readMasterAnswers(context, target, options);
}

/** The identity that a flag leads to. Throws BBX-USAGE. */
async function adoptedFrom(context: Context, value: string, fromEnvironment: boolean): Promise<IdentityFile> {
  const { parseIdentity } = await import('./farm-identity.ts');
  const { secretValue } = await import('./terminal/secret-value.ts');
  return parseIdentity(await secretValue(context, { flag: '--identity', value, fromEnvironment }));
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
  if (adopted !== undefined) {
    const { key, certificate, workers } = adopted;
    const { joinsOf } = await import('./farm-identity.ts');
    return {
      key,
      certificate,
      joins: workers.length === 0 ? null : `${JSON.stringify(joinsOf(adopted))}\n`,
    };
  }
  const key = existing ?? createFarmKey();
  const names = reach.length === 0 ? [] : (await import('./farm-identity.ts')).hostsOf(reach);
  const certificate = (await textOf(layout.certificate)) ?? selfSignedCertificate(key, { names });
  return { key, certificate, joins: null };
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

/** A title and a form of the file, each checked by itself, break no rule of another key: then the whole file, an eighth of the time, is not read again. */
function mayClash({ name: _name, format: _format, ...others }: MasterAnswers): boolean {
  return Object.keys(others).length > 0;
}

function recorded(given: MasterAnswers, adopted: IdentityFile | undefined): Answers {
  const { webListen, ...rest } = given;
  return {
    ...rest,
    ...(webListen === undefined ? {} : { 'web-listen': webListen }),
    ...(adopted === undefined ? {} : { identity: adopted.pin }),
  };
}
