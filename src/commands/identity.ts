import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf } from '../base/error.ts';
import { isPattern } from '../base/pattern.ts';
import { workerPattern } from '../config/schema/names.ts';
import { parseAddress, printAddress } from '../net/endpoint/address.ts';
import { createIdentity, type IdentityFile } from './farm-identity.ts';
import { checkFlag, readFlag, several, usage } from './flag-value.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';
import { answer } from './terminal/print.ts';

/** Images that carry join strings lie around for a while; a month bounds what a stolen one is good for. */
const DEFAULT_EXPIRES_MS = 30 * 86_400_000;

export interface IdentityOptions {
  worker?: string[];
  reach?: string[];
  expires?: number;
  out?: string;
}

/** Writes the identity to a pipe on stdout, never to a terminal, or to a new file of mode 0600; an existing file is never replaced. */
export async function newIdentity(context: Context, options: IdentityOptions): Promise<void> {
  const workers = [...new Set(several(options.worker) ?? [])];
  for (const name of workers) checkFlag('--worker', workerPattern, name);
  const pattern = workers.find(isPattern);
  if (pattern !== undefined)
    throw usage('--worker', `"${pattern}" stands for many`, 'each name gets a join string of its own');
  const reach = readFlag('--reach', several(options.reach) ?? [], (text) => parseAddress(text), printAddress);
  if (workers.length > 0 && reach.length === 0)
    throw codes['BBX-USAGE']({
      problem: '--reach is missing: a join string must say how to get to the master',
      hint: 'Add --reach HOST:9989, once for each way, best first',
    });
  const expiresMs = options.expires ?? DEFAULT_EXPIRES_MS;
  const identity = createIdentity({ workers, reach, expiresMs, now: Date.now() / 1000 });
  if (options.out === undefined) {
    if (context.stdout.isTTY)
      throw codes['BBX-USAGE']({
        problem: '--out is missing: a private key must not stand on a screen',
        hint: 'Add --out FILE, which is made with mode 0600; or pipe it to another program',
      });
    context.stdout.write(print(identity));
    return;
  }
  const file = resolve(context.cwd, options.out);
  await writeNew(file, print(identity));
  const { pin, workers: joins } = identity;
  answer(context, { file, pin, workers: joins }, () =>
    [
      `Wrote ${file}, with the farm's private key: only you can read it.`,
      `The master adopts it with: bbx create-master --identity @${options.out}`,
      ...joins.map(({ name, join }) => `${name}\t${join}`),
    ].join('\n'),
  );
}

function print(identity: IdentityFile): string {
  return `${JSON.stringify(identity, null, 2)}\n`;
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await using handle = await open(file, 'wx', 0o600);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') throw codes['BBX-EXISTS']({ file });
    const reasons: Partial<Record<string, string>> = {
      ENOENT: 'its directory is not there',
      ENOTDIR: 'its directory is a file',
      EACCES: 'this user may not write there',
      EROFS: 'the file system is read-only',
    };
    const reason = reasons[errno ?? ''];
    if (reason === undefined) throw error;
    throw codes['BBX-USAGE']({ problem: `--out: cannot write "${file}": ${reason}` }, { cause: error });
  }
}
