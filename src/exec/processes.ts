import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { errnoOf } from '../base/error.ts';
import { bornAfter, fewBornAfter, lastPidNow, momentNow, type Moment } from './births.ts';
import { carriesMarker } from './marker.ts';

export interface ProcessQuery {
  marker: string;
  /** Session of the step's own process; its members count too, whatever they did to their environment. */
  session?: number | undefined;
  /** Only processes of these users are looked at: this process's own, and the one that builds run as. */
  uids: readonly number[];
  /** Nothing of it lived then, so only younger processes are looked at. */
  since?: Moment | undefined;
}

/** Most of what is read of a process fits in here; readFileSync would take new memory for each, and three calls more. */
const FILE_BYTES = 128 * 1024;
const scratch = Buffer.allocUnsafeSlow(FILE_BYTES);

export interface ProcessRow {
  pid: number;
  parent: number;
  session: number;
}

/**
 * The living processes that belong to a step: those that carry its marker, are in its session, or descend from one of these. A process
 * that both left the session and hid its environment after its parent ended is not found. Empty where there is no /proc.
 */
export function findProcesses(query: ProcessQuery): number[] {
  return lookForProcesses(query).found;
}

/**
 * As `findProcesses`, parents before their children. `sure`: nothing can have been missed, since no process was born while we looked and none was just in `exec`, when its
 * environment reads as empty. `now`: a moment that is just over, if the caller has one; to ask for it is the dear part of a look.
 */
export function lookForProcesses(
  query: ProcessQuery,
  now = query.since === undefined ? undefined : momentNow(),
): { found: number[]; sure: boolean } {
  const newest = now?.lastPid ?? lastPidNow();
  const rows = readProcesses(query, now);
  const found = new Set<number>();
  let bare = false;
  for (const row of rows) {
    const environment = readEnvironment(row.pid);
    bare ||= environment.length === 0;
    if (row.session === query.session || carriesMarker(environment, query.marker)) found.add(row.pid);
  }
  // Descendants, until a round adds none.
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const row of rows) if (found.has(row.parent)) found.add(row.pid);
  }
  found.delete(process.pid);
  return { found: parentsFirst(rows, found), sure: !bare && newest !== undefined && newest === lastPidNow() };
}

/**
 * These processes, parents before their children: a shell that hears of its child's end before its own signal goes on to its next command. The order of
 * pids does not tell, since they come round.
 */
export function parentsFirst(
  rows: readonly Pick<ProcessRow, 'pid' | 'parent'>[],
  found: ReadonlySet<number>,
): number[] {
  const ordered = new Set<number>();
  // A list of /proc comes sorted by letters; by number a few rounds do for a long chain of them, too.
  const ascending = rows.filter(({ pid }) => found.has(pid)).sort((one, other) => one.pid - other.pid);
  for (let before = -1; before !== ordered.size;) {
    before = ordered.size;
    for (const { pid, parent } of ascending) if (!found.has(parent) || ordered.has(parent)) ordered.add(pid);
  }
  // Rows are read one by one: a pid that was given away anew meanwhile can make a circle of them.
  return [...new Set([...ordered, ...found])];
}

function readProcesses({ uids, since }: ProcessQuery, now: Moment | undefined): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const pid of fewBornAfter(since, now) ?? allBornAfter(since, now)) {
    if (pid === process.pid) continue;
    try {
      const place = statSync(`/proc/${pid}`, { throwIfNoEntry: false });
      if (place === undefined || !uids.includes(place.uid)) continue;
      const row = parseStat(pid, readWhole(`/proc/${pid}/stat`).toString('latin1'));
      if (row !== undefined) rows.push(row);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return rows;
}

function allBornAfter(since: Moment | undefined, now: Moment | undefined): number[] {
  const isYoung = bornAfter(since, now);
  return readDirectory('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isYoung(pid));
}

/** `pid (name) state ppid pgrp session …`; the name may hold anything, so it is skipped from its end. Undefined for the dead. */
function parseStat(pid: number, text: string): ProcessRow | undefined {
  const [state, parent, , session] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (state === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), session: Number(session) };
}

/** Good until the next file of /proc is read; empty also for one that may not be read. */
function readEnvironment(pid: number): Buffer {
  try {
    return readWhole(`/proc/${pid}/environ`);
  } catch (error) {
    if (!isGone(error) && !isClosed(error)) throw error;
    return scratch.subarray(0, 0);
  }
}

/** A file of /proc; good until the next call. */
function readWhole(path: string): Buffer {
  return withDescriptor(() => {
    const file = openSync(path, 'r');
    try {
      let filled = 0;
      while (filled < FILE_BYTES) {
        const got = readSync(file, scratch, filled, FILE_BYTES - filled, null);
        if (got === 0) return scratch.subarray(0, filled);
        filled += got;
      }
    } finally {
      closeSync(file);
    }
    return readFileSync(path);
  });
}

function readDirectory(path: string): string[] {
  try {
    return withDescriptor(() => readdirSync(path));
  } catch (error) {
    if (!isGone(error) && !isClosed(error)) throw error;
    return [];
  }
}

/** It ended meanwhile; or this system has no such file. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'ENOTDIR'].includes(errnoOf(error) ?? '');
}

/** Another user's, or one that the system hides. */
function isClosed(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes(errnoOf(error) ?? '');
}

/** Kept for the moment in which no other can be had: who has no descriptor left must see its processes all the same, to end them. */
let spare: number | undefined;

/** Runs what needs one descriptor for a moment, with the spare one where the system gives no more. */
function withDescriptor<Value>(act: () => Value): Value {
  try {
    spare ??= openSync('/dev/null', 'r');
    return act();
  } catch (error) {
    if (spare === undefined || !['EMFILE', 'ENFILE'].includes(errnoOf(error) ?? '')) throw error;
    closeSync(spare);
    spare = undefined;
    return act();
  }
}
