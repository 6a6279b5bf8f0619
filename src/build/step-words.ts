import { printDuration } from '../base/duration.ts';
import { replaceUnsafe } from '../base/unsafe-text.ts';
import { withoutCredentials } from '../base/without-credentials.ts';
import type { Command, CommandResult } from './command-port.ts';
import type { StepPlan } from './plan.ts';
import type { Result } from './results.ts';

/** A command in a state string has this many words, then dots, as in Buildbot. */
const WORDS_SHOWN = 2;

/** A step's limits, ms. */
type Limits = Pick<StepPlan, 'timeoutMs' | 'maxTimeMs'>;

/** Characters of a line that says why. */
const WHY_SHOWN = 200;

/** What a step's log begins with: the command, where it runs, its limits, what the plan adds to the environment. */
export function describeStart(
  step: StepPlan,
  command: Command,
  env: Readonly<Record<string, string>>,
  tooShort: readonly string[],
): string {
  const lines =
    command.kind === 'shell'
      ? [`$ ${typeof command.command === 'string' ? command.command : command.command.map(quote).join(' ')}`]
      : [
          `git ${withoutCredentials(command.step.repository)}: ${whatIsCheckedOut(command.step)}, ${command.step.mode}`,
        ];
  lines.push(` in directory "${step.workdir}"${limits(step)}`);
  for (const [name, value] of Object.entries(env))
    lines.push(` ${name}=${value === '***' ? value : quote(value)}`);
  for (const name of tooShort) lines.push(` secret "${name}" is too short to be masked`);
  return `${lines.join('\n')}\n`;
}

function whatIsCheckedOut(step: { branch: string | null; revision: string | null }): string {
  if (step.revision !== null) return `revision ${step.revision}`;
  return step.branch === null ? 'the default branch' : `branch ${step.branch}`;
}

function limits(step: Limits): string {
  const parts = [
    ...(step.timeoutMs === null ? [] : [`${printDuration(step.timeoutMs)} of silence`]),
    ...(step.maxTimeMs === null ? [] : [`${printDuration(step.maxTimeMs)} in all`]),
  ];
  return parts.length === 0 ? '' : `, limits: ${parts.join(', ')}`;
}

/** What a step's log ends with. */
export function describeEnd(ended: CommandResult, step: Limits, tookMs: number): string {
  const took = `after ${(tookMs / 1000).toFixed(1)} s`;
  switch (ended.ended) {
    case 'exit':
      return `exit code ${ended.rc ?? 'unknown'} ${took}\n`;
    case 'notStarted':
      return 'the command was not started\n';
    case 'signal':
      return `killed by signal ${ended.signal ?? 'unknown'} ${took}\n`;
    case 'timeout':
    case 'maxTime':
      return `${whyEnded(ended, step)}: command ended ${took}\n`;
    case 'cancelled':
      return `cancelled ${took}\n`;
    case 'lost':
      return 'how the command ended is not known: the process that watched it is gone; it will be run again\n';
  }
}

/** The words for an end that says more than the exit code; empty for the others. */
function whyEnded(ended: CommandResult | undefined, step: Limits): string {
  if (ended?.ended === 'timeout') return `timed out, ${printDuration(step.timeoutMs ?? 0)} without output`;
  if (ended?.ended === 'maxTime') return `timed out, over ${printDuration(step.maxTimeMs ?? 0)} in all`;
  if (ended?.ended === 'signal') return `killed by ${ended.signal ?? 'a signal'}`;
  const why = ended?.why === undefined ? '' : shortLine(ended.why);
  if (ended?.ended === 'notStarted') return why === '' ? 'not started' : `not started: ${why}`;
  if (ended?.ended === 'lost') return 'end not known';
  return why;
}

/** A line of a stranger as a state string takes it: nothing that moves a terminal, and not endless. */
function shortLine(line: string): string {
  const text = replaceUnsafe(line, () => ' ').trim();
  return text.length > WHY_SHOWN ? `${text.slice(0, WHY_SHOWN)} …` : text;
}

/** A step's state string: `finished`, `'npm ci' failed`, `'npm ci' failed (timed out, 20m without output)`. */
export function describeStep(
  step: StepPlan,
  command: Command | undefined,
  result: Result,
  ended: CommandResult | undefined,
): string {
  if (result === 'success') return 'finished';
  const why = whyEnded(ended, step);
  const verb = result === 'failure' ? 'failed' : result;
  return `'${shorten(step, command)}' ${verb}${why === '' ? '' : ` (${why})`}`;
}

function shorten(step: StepPlan, command: Command | undefined): string {
  if (step.kind === 'git') return 'git checkout';
  const given = command?.kind === 'shell' ? command.command : step.command;
  const words = typeof given === 'string' ? given.trim().split(/\s+/) : given;
  return words.slice(0, WORDS_SHOWN).join(' ') + (words.length > WORDS_SHOWN ? ' ...' : '');
}

/** A word as a shell would take it back, for reading only. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
