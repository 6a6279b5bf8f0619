import { controlSocket } from '../config/layout.ts';
import { openClient, type Client } from '../client/client.ts';
import { parseBuildName, type BuildName } from '../client/build-name.ts';
import { findDirectory } from '../client/find-directory.ts';
import { codes } from './terminal/codes.ts';
import type { Context } from './terminal/context.ts';

export interface DirOptions {
  dir?: string;
}

/** The master's directory that this command line means. */
export function masterDirectory(context: Context, options: DirOptions): string {
  return findDirectory({ cwd: context.cwd, named: options.dir, roles: ['master'] }).dir;
}

/** A client of the master in the directory that this command line means. */
export function openFarm(context: Context, options: DirOptions): Client {
  const dir = masterDirectory(context, options);
  return openClient({ dir, socket: controlSocket(dir, context.env) });
}

/** A BUILD of the command line; throws BBX-USAGE when it is none. */
export function buildName(text: string): BuildName {
  const name = parseBuildName(text);
  if (name !== undefined) return name;
  throw codes['BBX-USAGE']({
    problem: `"${text}" is not a build: want builder/12, an id, a builder, or r17 for a request`,
  });
}

/** What a next command must say as well when this one was told its directory: ` --dir DIR`, or nothing. */
export function sameDir(options: DirOptions): string {
  return options.dir === undefined ? '' : ` --dir ${shellWord(options.dir)}`;
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** The words in which the API takes a build; for a request its newest build. Throws BBX-API-NO-BUILD when it has none. */
export async function buildOf(client: Client, context: Context, name: BuildName): Promise<string> {
  if (name.kind === 'build') return name.build;
  const request = await client.call('request', { params: { request: name.id } }, { signal: context.signal });
  const newest = request.builds.at(-1);
  if (newest !== undefined) return String(newest.buildid);
  const { buildrequestid, complete, result } = request;
  throw codes['BBX-API-NO-BUILD']({
    request: buildrequestid,
    ended: complete ? (result ?? 'complete') : undefined,
  });
}
