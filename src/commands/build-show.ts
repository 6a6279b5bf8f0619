import type { BuildObject, LogObject, RequestObject, StepObject } from '../api/objects.ts';
import { buildTitle } from '../build/title.ts';
import { buildName, openFarm, type DirOptions } from './farm.ts';
import { linkWords } from './link-words.ts';
import { shortWords } from './log-receipt.ts';
import type { Context } from './terminal/context.ts';
import { answer, facts, table, type Column, type Style } from './terminal/print.ts';
import { resultWord, sourceWords, tookWords } from './words.ts';

const STEP_COLUMNS: readonly Column<StepObject>[] = [
  { heading: 'STEP', value: (step) => String(step.number) },
  { heading: 'NAME', value: (step) => step.name },
  {
    heading: 'RESULT',
    value: (step, style) => resultWord(style, step.result, step.started_at === null ? 'waiting' : 'running'),
  },
  { heading: 'TOOK', value: (step) => tookWords(step) },
  {
    heading: 'LOGS',
    value: ({ logs }) => logs.map(logWords).join(', ') || '-',
  },
  { heading: 'STATE', value: (step) => step.state_string },
];

function logWords(log: LogObject): string {
  if (log.pruned) return `${log.name} (removed)`;
  const short = shortWords(log);
  return `${log.name} ${log.bytes} B${short === undefined ? '' : ` (${short})`}`;
}

/** `bbx build show`: a build with its steps and logs. */
export async function showBuild(context: Context, text: string, options: DirOptions): Promise<void> {
  const name = buildName(text);
  await using client = openFarm(context, options);
  const { signal } = context;
  if (name.kind === 'request') {
    const request = await client.call('request', { params: { request: name.id } }, { signal });
    answer(context, request, (style, seen) => requestWords(context, style, seen));
    return;
  }
  const build = await client.call('build', { params: { build: name.build } }, { signal });
  answer(context, build, (style, seen) => buildWords(context, style, seen));
}

function buildWords(context: Context, style: Style, build: BuildObject): string {
  const { steps = [] } = build;
  const properties = Object.entries(build.properties)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${String(value)}`);
  return [
    facts(context, [
      ['build', `${style.paint.bold(buildTitle(build))} (${build.buildid})`],
      ['result', resultWord(style, build.result)],
      ['state', build.state_string],
      ['source', sourceWords(build, style)],
      ['worker', build.worker],
      ['request', `r${build.buildrequestid}, try ${build.attempt}`],
      ['reason', build.reason || '-'],
      ['started', style.time(build.started_at)],
      ['took', tookWords(build)],
      ...(build.links ?? []).map((link): [string, string] => ['link', linkWords(link, style)]),
      ['properties', properties.join(', ') || '-'],
    ]),
    ...(context.stdout.isTTY
      ? [table(context, STEP_COLUMNS, steps)]
      : steps.map((step) => `step\t${table(context, STEP_COLUMNS, [step])}`)),
  ].join(context.stdout.isTTY ? '\n\n' : '\n');
}

function requestWords(context: Context, style: Style, request: RequestObject): string {
  const builds = request.builds.map(
    ({ number, result }) => `${request.builder}/${number} ${resultWord(style, result)}`,
  );
  return facts(context, [
    ['request', style.paint.bold(`r${request.buildrequestid}`)],
    ['builder', request.builder],
    ['result', resultWord(style, request.result, request.claimed ? 'running' : 'waiting')],
    ['source', sourceWords(request, style)],
    ['priority', String(request.priority)],
    ['reason', request.reason || '-'],
    ['submitted', style.time(request.submitted_at)],
    ...(request.cancel_reason === null
      ? []
      : [['cancelled', request.cancel_reason || 'no reason given'] as [string, string]]),
    ['builds', builds.join(', ') || `none yet; see: bbx why r${request.buildrequestid}`],
  ]);
}
