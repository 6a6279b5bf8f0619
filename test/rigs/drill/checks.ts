import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildObject, RequestObject } from '../../../src/api/objects.ts';
import type { Client } from '../../../src/client/client.ts';
import type { NumberedEvent } from '../../../src/client/events.ts';
import type { Channel } from '../../../src/build/command-port.ts';
import { openLogFiles, type LogFiles } from '../../../src/store/log-files.ts';
import type { Asked } from './acts.ts';
import { BUILDERS, type BuilderName } from './plan.ts';

/** Everything that the API tells of a farm after a drill. */
export interface Told {
  requests: RequestObject[];
  builds: BuildObject[];
  events: NumberedEvent[];
}

const PAGE = 1_000;

export async function askAll(client: Client, events: NumberedEvent[]): Promise<Told> {
  const requests = await client.call('requests', { query: { limit: PAGE } });
  const builds: BuildObject[] = [];
  for (const { builds: own } of requests) {
    for (const { buildid } of own)
      builds.push(await client.call('build', { params: { build: String(buildid) } }));
  }
  return { requests, builds, events };
}

/** What is wrong with requests and builds; nothing when the list is empty. */
export function checkResults({ requests, builds }: Told, asked: Asked, strict: boolean): string[] {
  const wrong: string[] = [];
  const byId = new Map(builds.map((build) => [build.buildid, build]));
  for (const id of asked.requests.keys()) {
    if (!requests.some(({ buildrequestid }) => buildrequestid === id)) wrong.push(`request ${id} is lost`);
  }
  for (const request of requests) {
    const name = `request ${request.buildrequestid} (${request.builder})`;
    const expected = BUILDERS[request.builder as BuilderName].result;
    const own = request.builds.map(({ buildid }) => byId.get(buildid)!);
    const allowed = new Set<string | null>([expected]);
    if (asked.cancelled.has(request.buildrequestid)) allowed.add('cancelled');
    if (!strict) allowed.add('exception');
    if (!request.complete) wrong.push(`${name} is not complete`);
    else if (!allowed.has(request.result)) wrong.push(`${name} ended with ${request.result}`);
    const last = own.at(-1);
    // A request that waited for another try may be cancelled without one.
    const gaveUp = request.result === 'cancelled' && last?.result === 'retry';
    if (last !== undefined && last.result !== request.result && !gaveUp)
      wrong.push(`${name} has ${request.result}, its last build ${last.result}`);
    if (last === undefined && request.result !== 'cancelled') wrong.push(`${name} has no build`);
    for (const build of own) {
      if (!build.complete) wrong.push(`build ${build.builder}/${build.number} is not complete`);
      for (const step of build.steps ?? []) {
        if (!step.complete)
          wrong.push(`${build.builder}/${build.number} step ${step.number} is not complete`);
        for (const log of step.logs)
          if (!log.complete)
            wrong.push(`${build.builder}/${build.number} ${step.name}: its log is not complete`);
      }
    }
    for (const build of own.slice(0, -1)) {
      if (build.result !== 'retry')
        wrong.push(`${name}: ${build.number} has ${build.result} and is not the last`);
      // Nothing was lost but links and masters: a build that has begun is never given up.
      if (strict && (build.steps?.length ?? 0) > 0)
        wrong.push(
          `${name}: ${build.builder}/${build.number} had begun and was given up: ${build.state_string}`,
        );
    }
  }
  return wrong;
}

/** Compares what the step wrote to its files with what the master has of each channel. The master must not run. */
export async function checkLogs({ builds }: Told, dir: string, masterDir: string): Promise<string[]> {
  const wrong: string[] = [];
  await using files = await openLogFiles(join(masterDir, 'logs'));
  for (const build of builds) {
    const whole = build.result === 'success' || build.result === 'failure';
    for (const step of build.steps ?? []) {
      const name = `${build.builder}/${build.number} ${step.name}`;
      const copy = join(dir, `${build.builder}-${build.number}-${step.number}`);
      const [stdout, stderr] = await Promise.all(
        ['stdout', 'stderr'].map((channel) => readFile(`${copy}.${channel}`).catch(() => Buffer.alloc(0))),
      );
      const logid = step.logs.find((log) => log.name === 'stdio')?.logid;
      const got = logid === undefined ? undefined : await channelsOf(files, logid);
      for (const [channel, expected] of [
        ['stdout', stdout!],
        ['stderr', stderr!],
      ] as const) {
        const found = got?.[channel] ?? Buffer.alloc(0);
        const fits = whole ? expected.equals(found) : expected.subarray(0, found.length).equals(found);
        if (!fits) wrong.push(`${name} ${channel}: ${difference(expected, found)}`);
      }
      if (whole && (got === undefined || stdout!.length === 0)) wrong.push(`${name} has no log`);
    }
  }
  return wrong;
}

async function channelsOf(files: LogFiles, logid: number): Promise<Record<Channel, Buffer>> {
  const parts: Record<Channel, Uint8Array[]> = { stdout: [], stderr: [], header: [] };
  for await (const { channel, bytes } of files.read(logid)) parts[channel].push(Buffer.from(bytes));
  const { stdout, stderr, header } = parts;
  return { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), header: Buffer.concat(header) };
}

function difference(expected: Buffer, found: Buffer): string {
  let at = 0;
  while (at < expected.length && at < found.length && expected[at] === found[at]) at += 1;
  const around = (bytes: Buffer) => JSON.stringify(bytes.subarray(Math.max(0, at - 40), at + 40).toString());
  return `${found.length} bytes instead of ${expected.length}, other from byte ${at}: ${around(found)} instead of ${around(expected)}`;
}

/** Order of events: each build begins once, ends once, its steps between and in order; each request is submitted and finished once. */
export function checkEvents({ events, builds, requests }: Told): string[] {
  const wrong: string[] = [];
  const lives = new Map<string, string[]>();
  let before = 0;
  for (const { id, event } of events) {
    if (id <= before) wrong.push(`event ${id} after ${before}`);
    before = id;
    const note = (key: string, what: string) => lives.set(key, [...(lives.get(key) ?? []), what]);
    if ('buildid' in event && event.type !== 'build.lost' && event.type !== 'build.adopted') {
      const step = 'stepid' in event ? ` ${event.number}` : '';
      note(`build ${event.buildid}`, `${event.type}${step}`);
    }
    if (event.type === 'request.submitted' || event.type === 'request.finished')
      note(`request ${event.buildrequestid}`, event.type);
  }
  for (const build of builds) {
    const steps = (build.steps ?? []).flatMap(({ number }) => [
      `step.started ${number}`,
      `step.finished ${number}`,
    ]);
    const life = lives.get(`build ${build.buildid}`) ?? [];
    const got = life.join(', ');
    const all = ['build.started', ...steps, 'build.finished'].join(', ');
    // Steps that the master ended, because their worker never did, have no event of their own.
    const open = ['build.started', ...steps.slice(0, -1), 'build.finished'].join(', ');
    if (got !== all && got !== open) wrong.push(`${build.builder}/${build.number}: ${got}`);
  }
  for (const { buildrequestid } of requests) {
    const life = (lives.get(`request ${buildrequestid}`) ?? []).join(', ');
    if (life !== 'request.submitted, request.finished') wrong.push(`request ${buildrequestid}: ${life}`);
  }
  return wrong;
}

/** What stands in the workers' spools; nothing may. */
export async function checkSpools(dir: string, workers: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const name of workers) {
    for (const entry of await readdir(join(dir, name, 'spool')))
      wrong.push(`"${entry}" is left in the spool of ${name}`);
  }
  return wrong;
}

/** Steps that ran twice, or of which two ran at once. */
export async function checkTrace(dir: string, builds: readonly BuildObject[]): Promise<string[]> {
  const lines = (await readFile(join(dir, 'trace'), 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '');
  const wrong: string[] = [];
  const begun = new Set<string>();
  for (const line of lines) {
    const [build, step, what] = line.split(' ');
    const key = `${build} ${step}`;
    if (what === 'begin' && begun.has(key)) wrong.push(`${key} ran twice`);
    if (what === 'begin') begun.add(key);
  }
  const known = new Set(builds.map(({ builder, number }) => `${builder}-${number}`));
  for (const key of begun)
    if (!known.has(key.split(' ')[0]!)) wrong.push(`${key} ran and nobody knows of it`);
  return wrong;
}

/** Builds of one request that ran at the same time: the earlier one still wrote when the later one had begun. */
export async function checkApart(dir: string, { requests, builds }: Told): Promise<string[]> {
  const wrong: string[] = [];
  const times = new Map<string, { from: number; to: number }>();
  for (const file of await readdir(dir)) {
    const build = /^([a-z]+-\d+)-\d+\.std/.exec(file)?.[1];
    if (build === undefined) continue;
    const { birthtimeMs, mtimeMs } = await stat(join(dir, file));
    const known = times.get(build) ?? { from: Infinity, to: 0 };
    times.set(build, { from: Math.min(known.from, birthtimeMs), to: Math.max(known.to, mtimeMs) });
  }
  const byId = new Map(builds.map(({ buildid, builder, number }) => [buildid, `${builder}-${number}`]));
  for (const { builds: own } of requests) {
    const names = own.map(({ buildid }) => byId.get(buildid)!);
    for (const [index, later] of names.entries()) {
      for (const earlier of names.slice(0, index)) {
        const [before, after] = [times.get(earlier), times.get(later)];
        if (before !== undefined && after !== undefined && before.to > after.from)
          wrong.push(`${earlier} ran for ${Math.round(before.to - after.from)} ms beside ${later}`);
      }
    }
  }
  return wrong;
}

/** Programs whose command line or directory names the drill's. */
export async function leftRunning(dir: string): Promise<string[]> {
  const left: string[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(dir)) left.push(`${entry}: ${line.replaceAll('\0', ' ').trim()}`);
  }
  return left;
}
