import { didYouMean } from '../../../base/did-you-mean.ts';
import { listBuilders } from '../../../store/builders.ts';
import { requestById, type RequestListRow } from '../../../store/buildrequests.ts';
import { buildById, buildByNumber, newestBuild, type BuildRow } from '../../../store/build-rows.ts';
import type { Db } from '../../../store/database.ts';
import { findStep, type StepListRow } from '../../../store/steps.ts';
import { codes } from '../codes.ts';

/** What people write for things, looked up; everything that is not there is BBX-API-NOT-FOUND. */

/** A BUILD: `builder/12`, an id, or `builder` for its newest. */
export async function findBuild(db: Db, text: string): Promise<BuildRow> {
  const row = await tryBuild(db, text);
  if (row !== undefined) return row;
  const builder = text.split('/', 1)[0]!;
  const names = (await listBuilders(db)).map(({ name }) => name);
  const known = names.includes(builder);
  throw codes['BBX-API-NOT-FOUND']({
    kind: 'build',
    name: text,
    meant: known || /^\d+$/.test(text) ? undefined : didYouMean(builder, names),
  });
}

/** The build that a BUILD means (`builder/12`, an id, or a builder for its newest); undefined when there is none. */
export async function tryBuild(db: Db, text: string): Promise<BuildRow | undefined> {
  const numbered = /^(.+)\/(\d{1,15})$/.exec(text);
  if (numbered !== null) return buildByNumber(db, numbered[1]!, Number(numbered[2]));
  if (/^\d{1,15}$/.test(text)) return buildById(db, Number(text));
  return newestBuild(db, text);
}

/** A request: `r17` or its number. */
export async function findRequest(db: Db, text: string): Promise<RequestListRow> {
  const number = /^r?(\d{1,15})$/.exec(text)?.[1];
  const row = number === undefined ? undefined : await requestById(db, Number(number));
  if (row === undefined)
    throw codes['BBX-API-NOT-FOUND']({ kind: 'request', name: number === undefined ? text : `r${number}` });
  return row;
}

/** A step of a build: its number or its name. A name that is a number is found when no step has that number. */
export async function findStepOf(db: Db, build: BuildRow, text: string): Promise<StepListRow> {
  const byNumber = /^\d{1,6}$/.test(text) ? await findStep(db, build.buildid, Number(text)) : undefined;
  const row = byNumber ?? (await findStep(db, build.buildid, text));
  if (row !== undefined) return row;
  throw codes['BBX-API-NOT-FOUND']({ kind: 'step', name: `${build.builder}/${build.number} ${text}` });
}
