import { createHash } from 'node:crypto';
import type { BuildObject, LogObject, StepObject } from '../../api/objects.ts';
import type { Client } from '../../client/client.ts';
import { BUILDERS, printedBy } from '../builders.ts';
import { SECRET_VALUE } from '../sandbox.ts';
import { firstWrong } from './mixed.ts';

export interface LogVerdict {
  wrong: string[];
  bytes: number;
  /** Bytes that a step printed for certain, and that the master does not have. */
  lost: number;
  /** Bytes too many. */
  doubled: number;
}

/** Compares the logs of a build, as a reader gets them from the master, with what its steps are known to print. */
export async function checkLogs(
  client: Client,
  build: BuildObject,
  signal: AbortSignal,
): Promise<LogVerdict> {
  const verdict: LogVerdict = { wrong: [], bytes: 0, lost: 0, doubled: 0 };
  const steps = BUILDERS[build.builder]?.steps ?? [];
  for (const step of build.steps ?? []) {
    const known = steps[step.number];
    if (known === undefined) continue;
    const name = `${build.builder}/${build.number} ${step.name}`;
    // A step that came to its own end has printed everything.
    const whole = step.result === 'success' || step.result === 'failure';
    const [all, got] = await Promise.all(
      (['all', 'output'] as const).map((channels) => read(client, build, step, channels, signal)),
    );
    verdict.bytes += got!.length;
    const row = step.logs.find((log) => log.name === 'stdio');
    verdict.wrong.push(...againstRow(name, row, all!, whole));
    if (all!.includes(SECRET_VALUE)) verdict.wrong.push(`${name}: a secret stands in its log`);
    if (known.kind === 'git') continue;
    const { stdout, stderr } = printedBy(`${build.builder}-${build.number}`, step.number, known);
    const at = firstWrong(got!, [stdout, stderr], whole);
    if (at === undefined) continue;
    const expected = stdout.length + stderr.length;
    if (got!.length > expected) verdict.doubled += got!.length - expected;
    else verdict.lost += Math.max(1, whole ? expected - got!.length : got!.length - at);
    const around = JSON.stringify(got!.subarray(Math.max(0, at - 40), at + 40).toString());
    verdict.wrong.push(
      `${name}: ${got!.length} bytes (sha256 ${hash(got!)}) instead of ${expected}; wrong from byte ${at}: ${around}`,
    );
  }
  return verdict;
}

/** What the master says of a log: its size, its hash, and that the worker told the same. */
function againstRow(name: string, row: LogObject | undefined, bytes: Buffer, whole: boolean): string[] {
  if (row === undefined) return whole ? [`${name} has no log`] : [];
  const wrong: string[] = [];
  if (row.bytes !== bytes.length)
    wrong.push(`${name}: its log says ${row.bytes} bytes and gives ${bytes.length}`);
  if (row.complete && row.sha256 !== hash(bytes))
    wrong.push(`${name}: its log has another hash than its row`);
  if (whole && row.receipt !== 'verified') wrong.push(`${name}: its log is ${row.receipt}, not verified`);
  return wrong;
}

async function read(
  client: Client,
  build: BuildObject,
  step: StepObject,
  channels: 'all' | 'output',
  signal: AbortSignal,
): Promise<Buffer> {
  if (step.logs.length === 0) return Buffer.alloc(0);
  const where = { build: String(build.buildid), step: String(step.number), log: 'stdio' };
  const parts: Uint8Array[] = [];
  for await (const part of client.log({ ...where, channels, signal })) parts.push(part);
  return Buffer.concat(parts);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
