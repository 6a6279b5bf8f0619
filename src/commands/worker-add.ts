import { readFile } from 'node:fs/promises';
import type { AnswerOf } from '../api/routes.ts';
import { BbxError, errnoOf } from '../base/error.ts';
import { systemClock } from '../base/clock.ts';
import { openClient } from '../client/client.ts';
import { controlSocket, masterLayout } from '../config/layout.ts';
import { loadMaster } from '../config/master.ts';
import { printListen } from '../net/endpoint/listen-address.ts';
import { pinOf } from '../net/tls/pin.ts';
import { parseJoin } from '../protocol/bbx/join.ts';
import { invite, type Invitation } from '../runtime/master/workers/invite.ts';
import { waysHere } from '../runtime/master/workers/ways.ts';
import { openStore } from '../store/store.ts';
import { masterDirectory, type DirOptions } from './farm.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { answer, note } from './terminal/print.ts';

export interface AddOptions extends DirOptions {
  expires: number;
  uses: number;
  names?: string;
  renew?: boolean;
}

/** Invites a worker through the running master, or on the store itself where none runs. */
export async function addWorker(
  context: Context,
  name: string | undefined,
  options: AddOptions,
): Promise<void> {
  const dir = masterDirectory(context, options);
  const invitation = {
    names: namesOf(name, options),
    uses: options.uses,
    expiresMs: options.expires,
    renew: options.renew === true,
  };
  const invited =
    (await throughMaster(context, dir, invitation)) ?? (await onStore(context, dir, invitation));
  answer(context, invited, () => invited.join);
  const until = new Date(invited.expires * 1000).toISOString();
  note(
    context,
    invited.changed
      ? `Invited "${invited.name}" until ${until}. On its host: bbx create-worker --join @FILE (or - for standard input)`
      : `"${invited.name}" is invited already, until ${until}: the same join string again (--renew makes a new one)`,
  );
  await warnOfGuess(context, dir, invited.join);
  for (const text of invited.notes) note(context, text);
}

/** Without `reach` the join string names this host as it calls itself, which other hosts need not know. */
async function warnOfGuess(context: Context, dir: string, join: string): Promise<void> {
  const { config } = await loadMaster(dir, { env: context.env, signal: context.signal }).catch(() => ({
    config: undefined,
  }));
  if (config === undefined || config.reach.length > 0) return;
  const ways = parseJoin(join).reach;
  note(
    context,
    `"reach" is not set, so the worker will look for the master at ${ways.join(', ') || 'no address at all'}, a guess. If that is wrong: ` +
      `bbx config set reach '[farm.example:9989]', apply it, and add --renew`,
  );
}

function namesOf(name: string | undefined, options: AddOptions): string {
  const problem =
    name !== undefined && options.names !== undefined
      ? 'NAME and --names say the same thing: give one of them'
      : "missing required argument 'name' (or --names with --uses)";
  const given = name ?? options.names;
  if (given === undefined || (name !== undefined && options.names !== undefined)) {
    throw codes['BBX-USAGE']({ problem, hint: 'See: bbx worker add --help' });
  }
  return given;
}

/** Undefined when no master runs there. */
async function throughMaster(
  context: Context,
  dir: string,
  invitation: Invitation,
): Promise<AnswerOf<'addWorker'> | undefined> {
  await using client = openClient({ dir, socket: controlSocket(dir, context.env) });
  try {
    return await client.call('addWorker', { body: invitation }, { signal: context.signal });
  } catch (error) {
    if (error instanceof BbxError && error.code === 'BBX-API-UNREACHABLE') return undefined;
    throw error;
  }
}

async function onStore(
  context: Context,
  dir: string,
  invitation: Invitation,
): Promise<AnswerOf<'addWorker'>> {
  const { config } = await loadMaster(dir, { env: context.env, signal: context.signal });
  const keyPem = await readKey(masterLayout(dir).key);
  await using store = await openStore(config.store, { dir, env: context.env });
  // A port that the system chooses is not known before the master runs.
  const fixed = config.listen.workers.map(printListen).filter((address) => !address.endsWith(':0'));
  const identity = { keyPem, pins: [pinOf(keyPem)], reach: waysHere(config, fixed) };
  return await invite(store, identity, invitation, systemClock);
}

async function readKey(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    throw codes['BBX-MASTER-KEY']({ file }, { cause });
  }
}
