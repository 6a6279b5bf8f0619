import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf } from '../../base/error.ts';
import { codes } from './codes.ts';
import type { Context } from './context.ts';

/** Far more than a join string or an identity with thousands of workers needs. */
const LARGEST_BYTES = 4 * 1024 * 1024;

/**
 * A secret that a flag leads to: `@file`, `-` for standard input, or, in the environment only, the text itself. A secret in `argv` can
 * be read by every user of the host, so anything else is refused. Throws BBX-USAGE, which never shows the value.
 */
export async function secretValue(
  context: Context,
  given: { flag: string; value: string; fromEnvironment: boolean },
): Promise<string> {
  const { flag, value, fromEnvironment } = given;
  const text = value.startsWith('@')
    ? await fromFile(context, flag, value.slice(1))
    : value === '-'
      ? await fromStandardInput(context, flag)
      : value;
  if (text === value && !fromEnvironment && value !== '-' && !value.startsWith('@'))
    throw codes['BBX-USAGE']({
      problem: `${flag}: a secret must not stand on the command line, where every user of this host can read it`,
      hint: `Write it into a file and give ${flag} @FILE, or pipe it in with ${flag} -, or set ${environmentName(flag)}`,
    });
  const trimmed = text.trim();
  if (trimmed === '') throw codes['BBX-USAGE']({ problem: `${flag}: there is nothing in it` });
  return trimmed;
}

function environmentName(flag: string): string {
  return `BBX_${flag.replace(/^--/, '').replaceAll('-', '_').toUpperCase()}`;
}

async function fromFile(context: Context, flag: string, path: string): Promise<string> {
  const file = resolve(context.cwd, path);
  try {
    return await readFile(file, { encoding: 'utf8', signal: context.signal });
  } catch (error) {
    const reasons: Partial<Record<string, string>> = {
      ENOENT: 'there is no such file',
      ENOTDIR: 'there is no such file',
      EACCES: 'this user may not read it',
      EISDIR: 'it is a directory',
    };
    const reason = reasons[errnoOf(error) ?? ''];
    if (reason === undefined) throw error;
    const hint = `Name a file that holds it: ${flag} @FILE; or pipe it in with ${flag} -`;
    throw codes['BBX-USAGE'](
      { problem: `${flag}: cannot read "${path}": ${reason}`, hint },
      { cause: error },
    );
  }
}

async function fromStandardInput(context: Context, flag: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of context.stdin) {
    context.signal.throwIfAborted();
    const piece = Buffer.from(chunk as Uint8Array);
    bytes += piece.length;
    if (bytes > LARGEST_BYTES)
      throw codes['BBX-USAGE']({ problem: `${flag}: standard input gives more than ${LARGEST_BYTES} bytes` });
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}
