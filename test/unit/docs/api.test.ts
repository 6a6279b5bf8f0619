import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import * as objects from '../../../src/api/objects.ts';
import { routes, STREAMS, type Route, type RouteName } from '../../../src/api/routes.ts';

const INTRODUCTION = `# The API

A running master answers HTTP on the control socket in its directory (\`control.sock\`, mode 0600: who may open it may do everything). The
commands of \`bbx\` use nothing else. All paths are under \`/api/v2\`; bodies and answers are JSON, times epoch seconds with fractions,
\`results\` numbers from 0: success, warnings, failure, skipped, exception, retry, cancelled. Fields that a reader does not know are to be
ignored; unknown fields of a body are an error.

\`\`\`
curl --unix-socket master/control.sock http://bbx/api/v2/status
\`\`\`

A \`:build\` is \`builder/12\` (percent-encoded: \`builder%2F12\`), an id, or \`builder\` for its newest; a \`:request\` is \`r17\` or \`17\`; a
\`:step\` is its number or its name.

An error answers \`{"error":{"code","message","hint","retryable"}}\`, see [errors.md](errors.md). Its HTTP status stands for the exit code
of the command line: 400 usage, 401 not logged in, 403 not permitted, 404 not found, 409 conflict, 422 configuration invalid, 500 a fault of
bbx, 502 something cannot be reached.
`;

const WORDS: Record<RouteName, string> = {
  status: 'The master, its workers, what runs, waits and does not work.',
  builders: 'All builders, also those that the configuration no longer names (`active` false).',
  builder: 'One builder.',
  workers: 'All workers by name.',
  worker: 'One worker, with its link now and lately.',
  addWorker:
    'Invites a worker, or several by a pattern: gives the join string. The same call again gives the same string (`changed` false) until it expires.',
  approveWorker: 'Lets a pending worker in, with the key that it came with.',
  pauseWorker: 'Gives a worker nothing more until it is resumed; also over restarts.',
  resumeWorker: 'Takes back a pause or a drain.',
  drainWorker: 'Gives a worker nothing more until its process starts anew or it is resumed.',
  workerPlaces:
    'Asks an attached worker what it sees of other places: what its system gives for each name, and a connection to the first addresses of each family (`bbx doctor source --worker`). Nothing is sent there.',
  workerPath:
    'Asks an attached worker to try its ways to the master anew, and tells what both ends saw (`bbx doctor path`). One at a time for a worker.',
  removeWorker: 'Refuses a worker from now on; its builds are tried elsewhere.',
  builds: 'Builds, newest first.',
  build:
    'One build with its steps, their logs, and the times without a link to its worker (`links`), told by both sides.',
  step: 'One step of a build.',
  startBuild: 'Asks for a build now; without a revision, of the branch’s head when it runs.',
  cancelBuild: 'Asks a running build to stop. The answer comes at once, the end as an event.',
  retryBuild: 'Asks for the same sources, properties and changes again.',
  requests: 'Build requests, newest first.',
  request: 'One request with its builds.',
  cancelRequest: 'Cancels a request that waits, or the build that runs for it.',
  retryRequest:
    'Asks again for what a request asked for that has ended; where it had builds, for what its newest built.',
  changes: 'Changes, newest first.',
  sendChange: 'Tells of a change, as a poller would; the schedulers decide what is built.',
  why: 'Why a request waits, how a build came to its result, or what became of a change, a revision, a repository (`:subject`: `r17`, a build, `c5`, …).',
  planConfig:
    'What applying the configuration would change now, and which of it needs a restart. Changes nothing.',
  applyConfig: 'Loads the configuration again: whole or not at all, running builds untouched.',
};

const STREAM_WORDS: Record<keyof typeof STREAMS, string> = {
  log:
    'The bytes of a log. Query: `offset` and `limit` in bytes, `follow=true` to go on until the log is complete, `channels=output` to leave out what ' +
    'bbx itself wrote (offsets count all channels). Lost bytes come as zeros, so that offsets hold. With `pieces=true` the answer is pieces: a line of JSON ' +
    '(`offset`, `at`, `channel`, `bytes`) and then so many bytes; a hole is a line alone (`offset`, `at`, `lost`, `cause`). The last line of a log whose worker ' +
    'never told its end has `lost: null`, since nobody knows how much is missing, the `cause` `worker`, and `why`.',
  events:
    'Server-sent events: `id:` is the number of the event, `data:` its JSON. With `after` those after that number, kept for a week; without it what happens ' +
    'from now on. The first line is a comment, sent at once, and a comment comes every 15 s when nothing happens.',
};

interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
  oneOf?: Schema[];
  default?: unknown;
}

const OBJECTS = {
  builder: objects.builderObject,
  worker: objects.workerObject,
  build: objects.buildObject,
  link: objects.linkObject,
  linkEvent: objects.linkEventObject,
  step: objects.stepObject,
  log: objects.logObject,
  request: objects.requestObject,
  change: objects.changeObject,
  trouble: objects.troubleObject,
  status: objects.statusObject,
  why: objects.whyObject,
};
const known = new Map(
  Object.entries(OBJECTS).map(([name, schema]) => [JSON.stringify(jsonOf(schema)), name]),
);

function jsonOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): Schema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest as Schema;
}

/** A type in a few words: `text`, `number or null`, `[build]`. */
function words(schema: Schema, top = false): string {
  const name = known.get(JSON.stringify(schema));
  if (name !== undefined && !top) return `[${name}](#${name})`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((each) => JSON.stringify(each)).join(' | ');
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return either.map((each) => words(each)).join(' | ');
  if (schema.type === 'array') return `list of ${words(schema.items ?? {})}`;
  if (schema.type === 'object' && schema.properties !== undefined) {
    return `{ ${fields(schema).join(', ')} }`;
  }
  if (schema.type === 'object') {
    const { additionalProperties } = schema;
    return `table of ${typeof additionalProperties === 'object' ? words(additionalProperties) : 'anything'}`;
  }
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? 'string'];
  return types.map((type) => (type === 'string' ? 'text' : type)).join(' | ');
}

function fields(schema: Schema): string[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, of]) => {
    const preset = of.default === undefined ? '' : ` = ${JSON.stringify(of.default)}`;
    return `${name}${required.has(name) || preset !== '' ? '' : '?'}: ${words(of)}${preset}`;
  });
}

describe('docs/api.md', () => {
  it('is what the table of routes says (write it anew with: vitest -u)', async () => {
    const lines: string[] = [INTRODUCTION, '## Routes\n'];
    for (const name of Object.keys(routes) as RouteName[]) {
      const route: Route = routes[name];
      lines.push(`### ${route.method} ${route.path}\n\n${WORDS[name]}\n`);
      const parts: string[] = [];
      if (route.query !== undefined)
        parts.push(...fields(jsonOf(route.query, 'input')).map((f) => `- query \`${f}\``));
      if (route.body !== undefined)
        parts.push(...fields(jsonOf(route.body, 'input')).map((f) => `- body \`${f}\``));
      parts.push(`- answer: ${words(jsonOf(route.answer))}`);
      lines.push(`${parts.join('\n')}\n`);
    }
    lines.push('## Streams\n');
    for (const [name, path] of Object.entries(STREAMS)) {
      lines.push(`### GET ${path}\n\n${STREAM_WORDS[name as keyof typeof STREAMS]}\n`);
    }
    lines.push('## Objects\n');
    for (const [name, schema] of Object.entries(OBJECTS)) {
      lines.push(
        `### ${name}\n\n${fields(jsonOf(schema))
          .map((field) => `- ${field}`)
          .join('\n')}\n`,
      );
    }
    lines.push('## Events\n');
    for (const each of jsonOf(objects.farmEvent).oneOf ?? jsonOf(objects.farmEvent).anyOf ?? []) {
      const { type, ...rest } = each.properties ?? {};
      const named = fields({ ...each, properties: rest });
      lines.push(`- \`${String(type?.const)}\`: ${named.join(', ')}`);
    }
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../../docs/api.md');
  });
});
