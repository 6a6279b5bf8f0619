import { readFile, stat } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import type * as z from 'zod';
import { errnoOf } from '../base/error.ts';
import { fileTrouble } from '../base/file-trouble.ts';
import { check } from './check.ts';
import { codes } from './codes.ts';
import { LARGEST_FILE_BYTES, readDocument, type ConfigDocument } from './document.ts';
import {
  originOf,
  overlay,
  overridesOf,
  type Environment,
  type Flags,
  type Origin,
  type Setting,
} from './override.ts';
import type { Problem } from './problem.ts';

export interface LoadOptions {
  /** `BBX_…` variables over the file's values. Default: none. */
  env?: Environment;
  /** Flags over these, by commander's names. */
  flags?: Flags;
  signal?: AbortSignal;
}

/** A configuration that holds, and where each part of it came from. */
export interface Loaded<Config> {
  config: Config;
  /** Absolute path. */
  file: string;
  /** The text of the file as it was read. */
  text: string;
  /** The data as written, with environment and flags over it; defaults are not in it. */
  written: unknown;
  /** What is odd, but works. */
  warnings: Problem[];
  origin(path: readonly PropertyKey[]): Origin;
}

/** Reads a file's text. Throws BBX-CFG-READ, BBX-FILE-DENIED; gives undefined where there is none. */
export async function readText(file: string): Promise<Buffer | undefined> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST_FILE_BYTES)
      throw codes['BBX-CFG-READ']({ file, reason: `it is larger than ${LARGEST_FILE_BYTES} bytes` });
    return await readFile(file);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    if (errno === 'EISDIR') throw codes['BBX-CFG-READ']({ file, reason: 'it is a directory' });
    throw fileTrouble(error, file) ?? error;
  }
}

/** What a role's configuration consists of. */
export interface Language<Schema extends z.ZodType, Config> {
  schema: Schema;
  settings: readonly Setting[];
  /** Mistakes and oddities that no single value shows. */
  crossCheck(document: ConfigDocument): Problem[];
  /** Turns checked values into what programs use. */
  resolve(checked: z.output<Schema>, dir: string): Config;
  /** Mistakes that only the checked values, or the disk, show. */
  lastCheck(config: Config, document: ConfigDocument): Promise<Problem[]>;
}

/** Everything that is to say about a document; `config` is there when nothing is an error. Never throws for what stands in it. */
export async function examine<Schema extends z.ZodType, Config>(
  language: Language<Schema, Config>,
  document: ConfigDocument,
  dir: string,
): Promise<{ config: Config | undefined; problems: Problem[] }> {
  if (document.problems.length > 0 && document.value === undefined)
    return { config: undefined, problems: document.problems };
  const checked = check(language.schema, document);
  const found = [...document.problems, ...checked.problems, ...language.crossCheck(document)];
  if (checked.value === undefined || found.some(isError))
    return { config: undefined, problems: inOrder(found) };
  const config = language.resolve(checked.value, dir);
  const problems = inOrder([...found, ...(await language.lastCheck(config, document))]);
  return { config: problems.some(isError) ? undefined : config, problems };
}

/** Examines a document with environment and flags over it. Throws BBX-CFG-INVALID with every problem in its data. */
export async function loadDocument<Schema extends z.ZodType, Config>(
  language: Language<Schema, Config>,
  read: { document: ConfigDocument; file: string; text: string; dir: string },
  options: LoadOptions,
): Promise<Loaded<Config>> {
  const overrides = overridesOf(language.settings, options.env ?? {}, options.flags ?? {});
  const document = overlay(read.document, overrides);
  const { config, problems } = await examine(language, document, read.dir);
  const warnings = problems.filter((problem) => !isError(problem));
  if (config === undefined)
    throw codes['BBX-CFG-INVALID']({ file: read.document.file, problems: problems.filter(isError) });
  return {
    config,
    file: read.file,
    text: read.text,
    written: document.value ?? {},
    warnings,
    origin: (path) => originOf(read.document, overrides, path),
  };
}

/** Reads YAML for `loadDocument`; problems name the file as a person would type it. */
export function yamlDocument(bytes: Buffer, file: string): { document: ConfigDocument; text: string } {
  return { document: readDocument(bytes, shownName(file)), text: bytes.toString('utf8') };
}

/** A file as a person would type it: relative to the working directory where it lies below it. */
export function shownName(file: string): string {
  const near = relative(process.cwd(), file);
  if (near === '') return basename(file);
  return near.startsWith('..') ? file : near;
}

/** Whether a problem stops the configuration from being used; a warning does not. */
export function isError(problem: Problem): boolean {
  return problem.severity === 'error';
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
